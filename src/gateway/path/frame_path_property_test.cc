// Random frames, answers, edits, full disks and restarts: what the path promises holds all the same; and no owner ever
// sees another's.

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "gateway/path/testing.h"

namespace pawsight::gateway {
namespace {

using rules::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::InstantBackend;
using testing::Jpeg;
using testing::MemoryRecord;
using ResultPtr = std::shared_ptr<const FrameResult>;

constexpr int kOwners = 3;
constexpr int kCameras = 2;  // of each

std::string OwnerId(int owner) { return "own_" + std::to_string(owner); }
std::string CameraId(int owner, int camera) { return "cam_" + std::to_string(owner) + "_" + std::to_string(camera); }

/// What a world of the path must show, checked as it happens.
class World : public Watcher {
 public:
  explicit World(uint64_t seed)
      : rng_(seed), backend_([this](const Inquiry& inquiry, const std::string&) { return Respond(inquiry); }) {
    options_.gate_threads = 0;
    options_.seed = seed + 1;
    options_.device_rate = 100;
    Start();
  }

  void OnFrame(const ResultPtr&) override { ++num_told_; }
  void OnAlert(const AlertNotice& notice) override { Check(notice); }

  void Live(int steps) {
    for (int i = 0; i < steps; ++i) {
      clock_.Advance(milliseconds(1 + rng_.Below(rng_.Chance(0.01) ? 90'000 : 1500)));
      const int what = rng_.Below(100);
      if (what < 80) Send();
      if (what >= 80 && what < 84) Edit(rng_.Below(kOwners));
      if (what == 84) Restart();
      if (what >= 85 && what < 88) record_.SetTrouble(rng_.Chance(0.5) ? ResourceExhausted("full") : Ok());
      if (what >= 88 && what < 91) backend_.hold = !backend_.hold;
      if (what >= 91) path_->Tick();
      if (!backend_.hold) backend_.Release();
      while (rng_.Chance(0.9) && path_->Step()) {
      }
      if (::testing::Test::HasFatalFailure()) return;
    }
    Stop();
    EXPECT_EQ(num_done_, num_accepted_) << "every accepted frame ends once";
    EXPECT_EQ(num_told_, num_accepted_);
  }

  int num_fired = 0;
  int num_resolved = 0;
  int num_updated = 0;
  std::set<Reason> reasons;

 private:
  struct Told {
    bool open = false;
    std::string id;
    uint64_t number = 0;
    Time newest{};
  };

  void Start() {
    path_ = std::make_unique<FramePath>(backend_, &record_, clock_, options_);
    (void)path_->observers().Subscribe("", std::shared_ptr<Watcher>(std::shared_ptr<void>(), this));
    for (int owner = 0; owner < kOwners; ++owner) Set(owner);
  }
  void Stop() {
    record_.SetTrouble(Ok());
    backend_.hold = false;
    backend_.Release();
    EXPECT_TRUE(path_->Drain(seconds(1)));
    path_.reset();
  }
  void Restart() {
    Stop();
    Start();
    path_->RestoreStates(record_.States());
  }

  rules::Rule MakeRule(int number, int question) {
    const Json json(Json::Object{{"id", "rul_" + std::to_string(number)},
                                 {"question", "Is it " + std::to_string(question) + "?"},
                                 {"clear_s", rng_.Below(3)},
                                 {"cooldown_s", rng_.Below(10)}});
    rules::Rule rule = rules::ParseRule(json).value();
    if (rng_.Chance(0.3)) rule.hold = seconds(rng_.Below(5));
    if (rng_.Chance(0.3)) rule.frames = {1 + rng_.Below(2), 2 + rng_.Below(3)};
    if (rng_.Chance(0.2)) rule.guard = rules::Question::Parse("Is there any?").value();
    if (rng_.Chance(0.2)) rule.sample_every = seconds(rng_.Below(4));
    if (rng_.Chance(0.1)) rule.enabled = false;
    return rule;
  }
  void Edit(int owner) {
    std::vector<rules::Rule>& rules = rules_[owner];
    if (rng_.Chance(0.4) && !rules.empty()) rules.erase(rules.begin() + rng_.Below(static_cast<int>(rules.size())));
    for (int number = static_cast<int>(rules.size()); number < 3; ++number) {
      std::set<std::string> taken;
      for (const rules::Rule& rule : rules) taken.insert(rule.id);
      rules::Rule fresh = MakeRule(rng_.Below(5), rng_.Below(3));
      if (!taken.contains(fresh.id)) rules.push_back(std::move(fresh));
    }
    snoozed_until_[owner] = rng_.Chance(0.2) ? clock_.Now() + seconds(rng_.Below(20)) : Time{};
    Set(owner);
  }
  void Set(int owner) {
    OwnerSetup setup;
    for (int camera = 0; camera < kCameras; ++camera) {
      setup.cameras.push_back({CameraId(owner, camera), {}, rng_.Chance(0.5), seconds(30)});
    }
    setup.rules = rules_[owner];
    if (snoozed_until_[owner] != Time{}) setup.snoozes.push_back({"", "", snoozed_until_[owner]});
    ASSERT_TRUE(path_->SetOwner(OwnerId(owner), std::move(setup)).ok());
  }

  void Send() {
    const int owner = rng_.Below(kOwners);
    Submission frame;
    frame.owner = OwnerId(owner);
    frame.camera = CameraId(owner, rng_.Below(kCameras));
    frame.encoded = Jpeg(static_cast<uint8_t>(rng_.Below(3) * 100));
    if (rng_.Chance(0.3)) frame.sequence = static_cast<uint64_t>(rng_.Below(30));
    if (rng_.Chance(0.2)) {
      frame.sent = clock_.Now();
      frame.captured = clock_.Now() - seconds(rng_.Below(120));
    }
    frame.must_ask = rng_.Chance(0.1);
    const std::string camera = frame.camera;
    const std::string whose = frame.owner;
    const auto once = std::make_shared<bool>(false);
    const Submitted submitted = path_->Submit(std::move(frame), [this, camera, whose, once](const ResultPtr& result) {
      EXPECT_FALSE(std::exchange(*once, true));
      EXPECT_EQ(result->camera, camera);
      EXPECT_EQ(result->owner, whose);
      Check(*result);
    });
    if (submitted.status.ok()) ++num_accepted_;
  }
  Result<double> Respond(const Inquiry& inquiry) {
    if (inquiry.owner.substr(4) != inquiry.camera.substr(4, 1)) ADD_FAILURE() << "another's camera in an inquiry";
    if (rng_.Chance(0.05)) return Unavailable("gone");
    if (rng_.Chance(0.02)) return ResourceExhausted("full");
    if (rng_.Chance(0.1)) mood_ = rng_.Uniform();
    return mood_;
  }

  void Check(const FrameResult& result) {
    ++num_done_;
    std::set<std::string> rules;
    size_t num_changes = 0;
    for (const Outcome& outcome : result.outcomes) {
      EXPECT_TRUE(rules.insert(outcome.rule).second) << "one reason a rule";
      reasons.insert(outcome.reason);
      const bool changed = outcome.reason == Reason::kFired || outcome.reason == Reason::kResolved;
      num_changes += changed ? 1 : 0;
      if (result.late) {
        EXPECT_FALSE(changed) << "a late frame never alerts";
      }
      if (outcome.reason == Reason::kGuard) {
        EXPECT_EQ(outcome.verdict, rules::Verdict::kFalse);
      }
    }
    const auto updates = std::count_if(result.changes.begin(), result.changes.end(), [](const AlertNotice& notice) {
      return notice.change == AlertChange::kUpdated;
    });
    EXPECT_EQ(num_changes + static_cast<size_t>(updates), result.changes.size());
    EXPECT_EQ(result.owner.substr(4), result.camera.substr(4, 1));
  }
  void Check(const AlertNotice& notice) {
    EXPECT_EQ(notice.owner.substr(4), notice.camera.substr(4, 1));
    Told& told = told_[{notice.camera, notice.rule}];
    if (notice.change == AlertChange::kUpdated) {
      EXPECT_TRUE(told.open);
      EXPECT_EQ(told.id, notice.id);
      EXPECT_GE(notice.time - told.newest, rules::kUpdateGap) << "updates are paced";
      told.newest = notice.time;
      ++num_updated;
    } else if (notice.change == AlertChange::kFired) {
      EXPECT_FALSE(told.open) << "one alert an episode";
      EXPECT_TRUE(ids_.insert(notice.id).second);
      told = {true, notice.id, notice.number, notice.time};
      ++num_fired;
    } else {
      EXPECT_TRUE(told.open);
      EXPECT_EQ(told.id, notice.id);
      EXPECT_EQ(told.number, notice.number);
      told.open = false;
      ++num_resolved;
    }
  }

  Rng rng_;
  double mood_ = 0;
  ManualClock clock_{Time(seconds(1'700'000'000))};
  InstantBackend backend_;
  MemoryRecord record_;
  FramePathOptions options_;
  std::map<int, std::vector<rules::Rule>> rules_;
  std::map<int, Time> snoozed_until_;
  std::map<std::pair<std::string, std::string>, Told> told_;
  std::set<std::string> ids_;
  int num_accepted_ = 0, num_done_ = 0, num_told_ = 0;
  std::unique_ptr<FramePath> path_;
};

TEST(FramePathPropertyTest, NoWorldBreaksThePromises) {
  int fired = 0;
  int resolved = 0;
  std::set<Reason> reasons;
  SetLogLevel(LogLevel::kOff);
  for (uint64_t seed = 0; seed < 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.Live(1500);
    fired += world.num_fired;
    resolved += world.num_resolved;
    reasons.insert(world.reasons.begin(), world.reasons.end());
    if (::testing::Test::HasFailure()) break;
  }
  SetLogLevel(LogLevel::kInfo);
  EXPECT_GT(fired, 1000);
  EXPECT_GT(resolved, 1000);
  EXPECT_GE(reasons.size(), rules::kNumReasons - 1) << "all but undecodable come";
}

/// Answers from threads of its own, in another order.
class ThreadedBackend : public AsyncBackend {
 public:
  ThreadedBackend() {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { Run(); });
  }
  ~ThreadedBackend() override {
    {
      MutexLock lock(mu_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    for (std::thread& thread : threads_) thread.join();
  }
  void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) override {
    MutexLock lock(mu_);
    waiting_.emplace_back(std::move(inquiry), std::move(done));
    changed_.NotifyOne();
  }

 private:
  void Run() {
    while (true) {
      std::pair<Inquiry, std::function<void(Result<Reply>)>> one;
      {
        MutexLock lock(mu_);
        while (waiting_.empty() && !stopping_) changed_.Wait(mu_);
        if (waiting_.empty()) return;
        const bool newest = ++count_ % 3 == 0;
        one = std::move(newest ? waiting_.back() : waiting_.front());
        newest ? waiting_.pop_back() : waiting_.pop_front();
      }
      Reply reply;
      reply.pool = one.first.owner;  // for the test: whose frame was answered
      // The answer tells the bytes that were asked about.
      const double p_yes = static_cast<double>((*one.first.encoded)[3]) / 255;
      for (std::string& question : one.first.questions)
        reply.answers.push_back({std::move(question), "yes", p_yes, {}});
      one.second(std::move(reply));
    }
  }
  Mutex mu_;
  CondVar changed_;
  std::deque<std::pair<Inquiry, std::function<void(Result<Reply>)>>> waiting_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  int count_ GUARDED_BY(mu_) = 0;
  std::vector<std::thread> threads_;
};

class OwnerWatcher : public Watcher {
 public:
  OwnerWatcher(std::string owner, std::atomic<int>& wrong) : owner_(std::move(owner)), wrong_(wrong) {}
  void OnFrame(const ResultPtr& result) override { wrong_ += result->owner != owner_ ? 1 : 0; }
  void OnAlert(const AlertNotice& notice) override { wrong_ += notice.owner != owner_ ? 1 : 0; }

 private:
  const std::string owner_;
  std::atomic<int>& wrong_;
};

TEST(FramePathIsolationTest, OfManyOwnersFramesNoneIsShownToAnother) {
  constexpr int kNumOwners = 200;
  constexpr int kCamerasEach = 10;
  constexpr int kFrames = 200'000;
  ThreadedBackend backend;
  MemoryRecord record;
  const SystemClock clock;
  FramePathOptions options;
  options.gate_threads = 2;
  options.max_owner_bytes = options.max_waiting_bytes;
  std::atomic<int> wrong{0};
  std::atomic<int> done{0};
  FramePath path(backend, &record, clock, options);
  std::vector<std::vector<std::string>> cameras(kNumOwners);
  const std::string rules = R"([{"id":"r","question":"Is it?","clear_s":0,"cooldown_s":0}])";
  for (int owner = 0; owner < kNumOwners; ++owner) {
    OwnerSetup setup;
    for (int camera = 0; camera < kCamerasEach; ++camera) {
      cameras[static_cast<size_t>(owner)].push_back("cam_" + std::to_string(owner) + "_" + std::to_string(camera));
      setup.cameras.push_back({cameras[static_cast<size_t>(owner)].back(), {}, false, seconds(60)});
    }
    setup.rules = rules::ParseRules(Json::Parse(rules).value()).value();
    ASSERT_TRUE(path.SetOwner(OwnerId(owner), std::move(setup)).ok());
    ASSERT_TRUE(path.observers().Subscribe(OwnerId(owner), std::make_shared<OwnerWatcher>(OwnerId(owner), wrong)).ok());
  }
  // The fourth byte names the frame; the first three make it pass for a JPEG.
  std::vector<testing::Bytes> bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(
        std::make_shared<const std::vector<uint8_t>>(std::vector<uint8_t>{0xff, 0xd8, 0xff, static_cast<uint8_t>(i)}));
  }
  std::atomic<int> accepted{0};
  const auto submit = [&](uint64_t seed) {
    Rng rng(seed);
    for (int i = 0; i < kFrames / 2; ++i) {
      const int owner = rng.Below(kNumOwners);
      const int level = rng.Below(256);
      Submission frame;
      frame.owner = OwnerId(owner);
      frame.camera = cameras[static_cast<size_t>(owner)][static_cast<size_t>(rng.Below(kCamerasEach))];
      frame.encoded = bytes[static_cast<size_t>(level)];
      const std::string camera = frame.camera;
      const Submitted submitted = path.Submit(std::move(frame), [&, owner, level, camera](const ResultPtr& result) {
        ++done;
        bool right = result->owner == OwnerId(owner) && result->camera == camera;
        if (right && result->asked) {
          right = result->pool == result->owner && std::abs(result->answers[0].p_yes - level / 255.0) < 1e-9;
        }
        for (const AlertNotice& notice : result->changes) {
          right = right && notice.owner == result->owner && notice.camera == camera;
        }
        wrong += right ? 0 : 1;
      });
      accepted += submitted.status.ok() ? 1 : 0;
    }
  };
  std::thread other([&] { submit(1); });
  submit(2);
  other.join();
  EXPECT_TRUE(path.Drain(seconds(60)));
  EXPECT_EQ(accepted, kFrames);
  EXPECT_EQ(done, kFrames);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace pawsight::gateway
