// Hostile images and questions (rows A and D of docs/hostile-inputs.md) against a real worker over HTTP: the right
// status and code, a process that lives, the next good request answered as before, memory that comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "base/allocator_testing.h"
#include "base/base64.h"
#include "base/memory.h"
#include "base/rng.h"
#include "frames/testing.h"
#include "hostile_images.h"
#include "running_worker.h"

namespace pawsight::integration {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

constexpr const char* kQuestion = "Is there a dog?";

std::string AsText(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

/// One worker for all tests: what one input leaves behind, the next would meet.
class Hostile : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    worker_ = std::make_unique<RunningWorker>(std::vector<std::string>{
        "--canary-interval", "60s", "--canary-limit", "60s", "--default-timeout", "120s", "--shed-target", "100ms"});
    ordinary_ = AskAbout(AsText(OrdinaryImage())).body;
    held_ = Held();
  }
  static void TearDownTestSuite() { worker_.reset(); }

  /// After every test: it lives, answers as before, and holds no more memory than a decode may take.
  void TearDown() override {
    ASSERT_TRUE(worker_->program().Runs());
    EXPECT_EQ(AskAbout(AsText(OrdinaryImage())).body, ordinary_);
    if constexpr (kOtherAllocator) return;
    constexpr size_t kOneDecode = 64U << 20U;
    for (const auto start = std::chrono::steady_clock::now(); Held() > held_ + kOneDecode;) {
      ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(2)) << Held() << " bytes are held";
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the worker trims every five seconds
    }
  }

  static HttpAnswer AskAbout(const std::string& image, const std::vector<std::string>& questions = {kQuestion}) {
    return worker_->Infer("vqa",
                          {{"image", {1}, {image}}, {"question", {static_cast<int64_t>(questions.size())}, questions}});
  }
  static HttpAnswer AskText(const std::string& question) { return AskAbout(AsText(OrdinaryImage()), {question}); }

  /// In JSON, the image as it stands in `data`.
  static HttpAnswer AskInBase64(const std::string& data) {
    const std::string body = R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[1],)"
                             R"("parameters":{"content_type":"base64"},"data":[)" +
                             JsonQuote(data) +
                             R"(]},{"name":"question","datatype":"BYTES","shape":[1],"data":["Is there a dog?"]}]})";
    return RunningWorker::Exchange(worker_->http_port(),
                                   "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                   "Content-Length: " +
                                       std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  static void ExpectCode(const HttpAnswer& answer, int status, const std::string& code) {
    EXPECT_EQ(answer.status, status) << answer.body.substr(0, 300);
    const Json json = answer.json();
    EXPECT_TRUE(json.GetString("error").ok());
    EXPECT_EQ(json.GetString("code").ok() ? *json.GetString("code") : "", code) << answer.body.substr(0, 300);
  }
  /// 200, a word and finite numbers.
  static void ExpectAnswer(const HttpAnswer& answer) {
    ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 300);
    for (const char* output : {"p_yes", "score"}) {
      for (const Json& value : answer.Output(output)) {
        ASSERT_TRUE(value.is_number()) << "not NaN, which JSON has not";
        EXPECT_GE(value.as_number(), 0);
        EXPECT_LE(value.as_number(), 1);
      }
    }
  }
  static double PYes(const HttpAnswer& answer) { return answer.Output("p_yes").at(0).as_number(); }

  static size_t Held() { return ResidentBytes(worker_->program().pid()); }

  static std::unique_ptr<RunningWorker> worker_;
  static std::string ordinary_;
  static size_t held_;
};
std::unique_ptr<RunningWorker> Hostile::worker_;
std::string Hostile::ordinary_;
size_t Hostile::held_ = 0;

TEST_F(Hostile, EveryImageGetsTheRightAnswerAndTheNextOneItsOwn) {  // A1..A28, A31, A32
  for (const HostileImage& image : HostileImages()) {
    SCOPED_TRACE(image.row + ": " + image.what);
    const HttpAnswer answer = AskAbout(AsText(image.bytes));
    switch (image.expect) {
      case Expect::kRefused:
        ExpectCode(answer, image.status, image.code);
        break;
      case Expect::kAnswered:
        ExpectAnswer(answer);
        break;
      case Expect::kAsOrdinary:
        EXPECT_EQ(answer.body, ordinary_);
        break;
    }
    ASSERT_TRUE(worker_->program().Runs());
    EXPECT_EQ(AskAbout(AsText(OrdinaryImage())).body, ordinary_);
  }
  EXPECT_EQ(worker_->program().WaitUntilSaid("worker_started").find("59.9139"), std::string::npos) << "A17: no place";
}

TEST_F(Hostile, Base64IsTakenAsTheStandardWritesItAndNoOther) {  // A29
  const std::string image = AsText(OrdinaryImage());
  const std::string good = EncodeBase64(image);
  EXPECT_EQ(AskInBase64(good).status, 200);
  std::string spaced = good, safe = good;
  spaced.insert(40, " ");
  safe[40] = '-';
  std::string unpadded = EncodeBase64(image.substr(0, image.size() / 3 * 3 - 1));
  unpadded.pop_back();
  for (const std::string& bad : {spaced, safe, unpadded, good + "=", good + "AAA"}) {
    EXPECT_EQ(AskInBase64(bad).status, 400) << bad.substr(bad.size() - 8);
  }
  ExpectCode(AskInBase64(""), 400, "image_empty");
}

TEST_F(Hostile, AnImageThatIsNearlyAnotherGetsItsOwnAnswer) {  // A30
  std::vector<std::string> images;
  for (int quality = 20; quality < 100; quality += 8) {
    images.push_back(
        AsText(frames::testing::MakeJpeg(frames::testing::Synthetic("golden", 96, 80), {.quality = quality})));
  }
  std::vector<HttpAnswer> together(images.size());
  std::vector<std::thread> clients;
  for (size_t i = 0; i < images.size(); ++i) {
    clients.emplace_back([&, i] {
      do {
        together[i] = AskAbout(images[i]);
      } while (together[i].status == 429);  // a slow machine has too much to do with so many
    });
  }
  for (std::thread& client : clients) client.join();
  for (size_t i = 0; i < images.size(); ++i) EXPECT_EQ(together[i].body, AskAbout(images[i]).body) << i;
}

TEST_F(Hostile, ABodyWithoutAnEndIsCutAtTheLimitAndTheConnectionClosed) {  // A32
  std::string chunk = "100000\r\n" + std::string(0x100000, 'x') + "\r\n";
  std::string request = "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 40; ++i) request += chunk;
  EXPECT_EQ(RunningWorker::Exchange(worker_->http_port(), request).status, 413);
}

TEST_F(Hostile, AQuestionThatIsNoneOrTooLongIsRefused) {  // D1, D2
  for (const std::string& none : {""s, "   "s, "\t\r\n"s, "\0\1\2"s, "\xEF\xBB\xBF"s, "\xE2\x80\x8B\xE2\x80\x8B"s}) {
    ExpectCode(AskText(none), 422, "question_empty");
  }
  EXPECT_EQ(worker_->Infer("vqa", {{"image", {1}, {AsText(OrdinaryImage())}}}).status, 400) << "absent";
  ExpectAnswer(AskText(std::string(512, 'a')));
  ExpectCode(AskText(std::string(513, 'a')), 422, "question_too_long");
  ExpectCode(AskText(std::string(10'000, 'a')), 422, "question_too_long");
  ExpectCode(AskText(std::string(1 << 20, 'a')), 422, "question_too_long");
}

TEST_F(Hostile, AnyScriptIsAQuestion) {  // D3, D4, D5, D6, D8
  std::string zalgo = "Is there a d";
  for (int i = 0; i < 400; ++i) zalgo += "\xCC\xB6";
  const std::vector<std::string> texts = {
      "\xF0\x9F\x90\xB6?",
      "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 at the door?",
      zalgo,
      "\xE7\x8A\xAC\xE3\x81\xAF\xE3\x81\x84\xE3\x81\xBE\xE3\x81\x99\xE3\x81\x8B",
      "\xE0\xB8\xAB\xE0\xB8\xA1\xE0\xB8\xB2",
      "\xD9\x83\xD9\x84\xD8\xA8",
      "is \xE2\x80\xAEgod\xE2\x80\xAC there?",
      "a\x01\x02"
      "dog?",
      "a\0dog"s,
      "\xEF\xBF\xBD dog",
      "\xEE\x80\x80 dog",
      "\xEF\xBB\xBFIs there a dog?",
      "[SEP]",
      "[CLS] [ENC] [DEC] [PAD] [MASK]",
      "##ing",
      "<script>alert(1)</script>",
      "'; DROP TABLE rules; --",
      "{\"a\":[",
      "${jndi:ldap://x/y}",
      "%s%n%x",
      "../../etc/passwd",
      std::string(300, 'x') + "?",
      "\xFF\xFE dog",
      "\xC0\xAF dog",
      "\xED\xA0\x80 dog",
      "NaN",
      "-0",
      "null",
      "true"};
  for (const std::string& text : texts) {
    SCOPED_TRACE(text.substr(0, 40));
    ExpectAnswer(AskText(text));
  }
}

TEST_F(Hostile, WhatTheTokenizerReadsAlikeIsAnsweredAlike) {  // D5, D7
  const std::pair<std::string, std::string> alike[] = {
      {"Is there a caf\xC3\xA9 dog?", "Is there a cafe\xCC\x81 dog?"},  // composed, decomposed
      {"IS THERE A DOG?", "is there a dog?"},
      {"\xEF\xBB\xBFIs there a dog?", kQuestion},  // a byte order mark
      {"Is there\0 a dog?"s, kQuestion},           // NUL is cleaned away
      {"Is \t there  a dog ?", kQuestion}};
  for (const auto& [one, other] : alike) EXPECT_EQ(PYes(AskText(one)), PYes(AskText(other))) << one;
}

TEST_F(Hostile, TextsOfNoiseAreAnsweredOrRefusedInJson) {  // D9
  Rng rng(9);
  for (int i = 0; i < 80; ++i) {
    std::string text(1 + rng.Next() % 60, ' ');
    for (char& letter : text) letter = static_cast<char>(rng.Next() % (i % 2 == 0 ? 256 : 128));
    const HttpAnswer answer = AskText(text);
    EXPECT_TRUE(answer.status == 200 || answer.status == 422) << answer.status << " " << answer.body;
    EXPECT_FALSE(answer.json().is_null());
  }
}

TEST_F(Hostile, DuplicatesAreComputedOnceAndTooManyRefused) {  // D10
  const auto computed = [] { return worker_->Metric("pawsight_server_questions_computed_total"); };
  const double before = computed();
  std::vector<std::string> questions(32, kQuestion);
  questions[31] = "Is there a cat?";
  const HttpAnswer answer = AskAbout(AsText(OrdinaryImage()), questions);
  ExpectAnswer(answer);
  const Json::Array p = answer.Output("p_yes");
  ASSERT_EQ(p.size(), 32U);
  for (size_t i = 1; i < 31; ++i) EXPECT_EQ(p[i].as_number(), p[0].as_number());
  while (computed() == before) std::this_thread::yield();  // the books follow the answer
  EXPECT_EQ(computed() - before, 2);
  ExpectCode(AskAbout(AsText(OrdinaryImage()), std::vector<std::string>(257, kQuestion)), 422, "too_many_questions");
  ExpectCode(AskAbout(AsText(OrdinaryImage()), std::vector<std::string>(10'000, kQuestion)), 422, "too_many_questions");
}

}  // namespace
}  // namespace pawsight::integration
