// Why no alert came, and what it cost, as an owner asks over HTTP: every reason that there is, brought about by frames
// and a backend that answers as told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "gateway/api/testing.h"

namespace pawsight::gateway::testing {
namespace {

using rules::Reason;
using ::testing::HasSubstr;

constexpr double kYes = 0.95;
constexpr double kNo = 0.05;
constexpr const char* kQuestion = "Is there a dog?";

class ApiWhyTest : public ApiTest {
 public:
  void BringUndecodable() {
    Begin();
    EXPECT_EQ(PostFrame(home_, Jpeg().substr(0, 400)).status, 422);
  }
  void BringUnanswered() {
    Begin();
    backend_.Fail(Unavailable("gone"));
    EXPECT_EQ(PostFrame(home_, Jpeg(1)).status, 503);
  }
  void BringShed() {
    Begin();
    backend_.Fail(ResourceExhausted("full", "shed"));
    EXPECT_EQ(PostFrame(home_, Jpeg(1)).status, 503);
  }
  void BringLate() {
    Begin();
    Show(kNo);
    const Time now = clock_.Now();
    PostFrame(home_, Jpeg(2), "?wait=answers",
              "Pawsight-Captured-At: " + FormatTime(now - std::chrono::seconds(30)) +
                  "\r\nPawsight-Sent-At: " + FormatTime(now) + "\r\n");
  }
  void BringUnchanged() {
    Begin();
    EXPECT_EQ(Put("/v1/cameras/" + home_.camera, home_.operator_token,
                  R"({"name":"kitchen","gate":true,"device":")" + home_.device + "\"}")
                  .status,
              200);
    backend_.p_yes = kNo;
    // The gate needs a frame that it has seen to compare with, and nobody may wait for the answer.
    for (size_t sent = 1; Why().Find("counts")->Find("unchanged") == nullptr; ++sent) {
      EXPECT_EQ(PostFrame(home_, Jpeg(1), "").status, 202);
      while (Why().Find("newest")->as_array().size() < sent) std::this_thread::yield();
    }
  }
  void BringBelowThreshold() {
    Begin();
    Show(kNo);
  }
  void BringUnsure() {
    Begin();
    Show(0.65);
  }
  void BringPending() {
    Begin(R"(,"for_s":3600)");
    Show(kYes);
  }
  void BringFired() {
    Begin();
    Show(kYes);
  }
  void BringFiring() {
    Begin();
    Show(kYes);
    Show(kYes);
  }
  void BringClearing() {
    Begin(R"(,"clear_s":3600)");
    Show(kYes);
    Show(kNo);
  }
  void BringResolved() {
    Begin(R"(,"clear_s":0)");
    Show(kYes);
    ShowUntil(kNo, Reason::kResolved);
  }
  void BringCooldown() {
    Begin(R"(,"clear_s":0,"cooldown_s":3600)");
    Show(kYes);
    ShowUntil(kNo, Reason::kResolved);
    Show(kYes);
  }
  void BringGuard() {
    Begin(R"(,"guard":"Is there an animal?")");
    backend_.Tell("Is there an animal?", kNo);
    Show(kYes);
  }
  void BringNotDue() {
    Begin(R"(,"sample_every_s":3600)");
    Show(kNo);
    Show(kNo);
  }
  void BringSnoozed() {
    Begin();
    EXPECT_EQ(Post("/v1/snoozes", home_.operator_token, R"({"for_s":3600})").status, 201);
    Show(kYes);
  }
  void BringReplaced() {
    Begin();
    backend_.Hold();
    EXPECT_EQ(PostFrame(home_, Jpeg(1), "").status, 202);
    backend_.AwaitHeld();
    EXPECT_EQ(PostFrame(home_, Jpeg(2), "").status, 202) << "waits";
    EXPECT_EQ(PostFrame(home_, Jpeg(3), "").status, 202) << "and gives its place to a newer one";
    backend_.Release();
  }

 protected:
  /// A home of its own with the rule and, `more`, what is special about it.
  void Begin(const std::string& more = "") {
    backend_.Fail(Ok());
    home_ = MakeHome("home");
    const Came made =
        Post("/v1/rules", home_.operator_token,
             R"({"question":")" + std::string(kQuestion) + R"(","threshold":0.7,"unsure_band":0.1)" + more + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    rule_ = made.Text("id");
  }
  /// The reason that the rule had for a frame with this answer.
  std::string Show(double p_yes) {
    backend_.p_yes = p_yes;
    const Came came = PostFrame(home_, Jpeg(++num_shown_));
    EXPECT_EQ(came.status, 200) << came.body;
    return came.json.Find("rules")->as_array().at(0).GetString("reason").value();
  }
  void ShowUntil(double p_yes, Reason reason) {
    while (Show(p_yes) != rules::ReasonName(reason)) {
    }
  }
  /// What /metrics counts of the reason, over all owners.
  int64_t Counted(Reason reason) const {
    const std::string metrics = Get("/metrics", admin_).body;
    const std::string name =
        "pawsight_gateway_outcomes_total{reason=\"" + std::string(rules::ReasonName(reason)) + "\"} ";
    const size_t at = metrics.find(name);
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? 0 : std::atoll(metrics.c_str() + at + name.size());
  }
  Json Why() const {
    const Came why = Get("/v1/rules/" + rule_ + "/why", home_.operator_token);
    EXPECT_EQ(why.status, 200) << why.body;
    return why.json;
  }
  /// Once it has the reason.
  Json AwaitWhy(Reason reason) const {
    while (true) {
      Json why = Why();
      if (why.Find("counts")->Find(rules::ReasonName(reason)) != nullptr) return why;
      std::this_thread::yield();
    }
  }

  Home home_;
  std::string rule_;
  int num_shown_ = 100;
};

struct Case {
  Reason reason;
  void (ApiWhyTest::*bring)();
};
constexpr Case kCases[] = {
    {Reason::kUndecodable, &ApiWhyTest::BringUndecodable},
    {Reason::kUnanswered, &ApiWhyTest::BringUnanswered},
    {Reason::kLate, &ApiWhyTest::BringLate},
    {Reason::kUnchanged, &ApiWhyTest::BringUnchanged},
    {Reason::kBelowThreshold, &ApiWhyTest::BringBelowThreshold},
    {Reason::kUnsure, &ApiWhyTest::BringUnsure},
    {Reason::kPending, &ApiWhyTest::BringPending},
    {Reason::kCooldown, &ApiWhyTest::BringCooldown},
    {Reason::kFired, &ApiWhyTest::BringFired},
    {Reason::kFiring, &ApiWhyTest::BringFiring},
    {Reason::kClearing, &ApiWhyTest::BringClearing},
    {Reason::kResolved, &ApiWhyTest::BringResolved},
    {Reason::kGuard, &ApiWhyTest::BringGuard},
    {Reason::kNotDue, &ApiWhyTest::BringNotDue},
    {Reason::kSnoozed, &ApiWhyTest::BringSnoozed},
    {Reason::kReplaced, &ApiWhyTest::BringReplaced},
    {Reason::kShed, &ApiWhyTest::BringShed},
};

constexpr bool EachReasonOnce() {
  std::array<int, rules::kNumReasons> num{};
  for (const Case& one : kCases) ++num[static_cast<size_t>(one.reason)];
  for (const int times : num) {
    if (times != 1) return false;
  }
  return true;
}
static_assert(EachReasonOnce());

TEST_F(ApiWhyTest, EveryReasonIsShownToTheOwnerAndCounted) {
  for (const Case& one : kCases) {
    const std::string name(rules::ReasonName(one.reason));
    SCOPED_TRACE(name);
    const int64_t before = Counted(one.reason);
    (this->*one.bring)();
    const Json why = AwaitWhy(one.reason);
    EXPECT_GT(Counted(one.reason), before);
    EXPECT_EQ(why.GetString("rule").value(), rule_);
    int64_t kept = 0, counted = 0;
    for (const Json& outcome : why.Find("newest")->as_array()) {
      EXPECT_EQ(outcome.GetString("camera").value(), home_.camera);
      EXPECT_THAT(outcome.GetString("frame").value(), HasSubstr("frm_"));
      kept += outcome.GetString("reason").value() == name ? 1 : 0;
    }
    for (const auto& [reason, count] : why.Find("counts")->as_object()) {
      counted += count.as_integer();
    }
    EXPECT_EQ(why.Find("counts")->GetInteger(name).value(), kept);
    EXPECT_EQ(counted, static_cast<int64_t>(why.Find("newest")->as_array().size())) << "few, so all are kept";
  }
}

TEST_F(ApiWhyTest, AKnownPriceIsSharedByTheRulesThatAskedAndByTheirAlerts) {
  constexpr double kDollarsPerHour = 3600;  // a dollar a second
  Begin(R"(,"clear_s":0,"cooldown_s":0)");
  const std::string quiet =
      Post("/v1/rules", home_.operator_token, R"({"question":"Is there a cat?","threshold":0.99})").Text("id");
  const auto seconds = [&] { return std::chrono::duration<double>(clock_.Monotonic()).count(); };
  const double before_price = seconds();
  path_->SetPrices({{"told", kDollarsPerHour}});
  const double after_price = seconds();
  for (int alert = 0; alert < 2; ++alert) {
    EXPECT_EQ(Show(kYes), "fired");
    ShowUntil(kNo, Reason::kResolved);
  }
  const double before_answer = seconds();
  const Came stats = Get("/v1/stats", home_.operator_token);
  const double after_answer = seconds();
  ASSERT_EQ(stats.status, 200) << stats.body;
  const Json::Array& costs = stats.json.Find("cost")->Find("rules")->as_array();
  ASSERT_EQ(costs.size(), 2U) << stats.body;
  for (const Json& cost : costs) {
    const double dollars = cost.GetNumber("dollars").value();
    EXPECT_GE(dollars, (before_answer - after_price) / 2 - 1e-6) << "half of what the pool has cost";
    EXPECT_LE(dollars, (after_answer - before_price) / 2 + 1e-6);
    if (cost.GetString("rule").value() == rule_) {
      EXPECT_EQ(cost.GetInteger("alerts").value(), 2);
      EXPECT_NEAR(cost.GetNumber("dollars_per_alert").value(), dollars / 2, 1e-6);
    } else {
      EXPECT_EQ(cost.GetString("rule").value(), quiet);
      EXPECT_TRUE(cost.Find("dollars_per_alert")->is_null()) << cost.Dump();
    }
  }
  EXPECT_THAT(Get("/metrics", admin_).body, HasSubstr("pawsight_gateway_pool_dollars_total{pool=\"told\"} "));
  const Home other = MakeHome("other");
  EXPECT_TRUE(Get("/v1/stats", other.operator_token).json.Find("cost")->Find("rules")->as_array().empty());
}

}  // namespace
}  // namespace pawsight::gateway::testing
