// A client that goes away: what stands between the end of its connection and its slot's being free. The connection's
// end is seen by the thread that reads all of them; that thread takes the work out of the books before it does anything
// else. So no time is measured here: whoever asks after a client has gone finds its slot free. server_bench's
// http/client_goes measures how long that takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing.h"
#include "server/fake_engine.h"
#include "server/testing.h"
#include "server/vqa_model.h"

namespace pawsight::server::testing {
namespace {

using net::testing::RawClient;
using ::testing::HasSubstr;

std::string AskAbout(const std::string& image) {
  const std::string body = R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":[")" + image +
                           R"("]},{"name":"question","datatype":"BYTES","shape":[1],"data":["q"]}]})";
  return "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

class ClientGone : public ::testing::Test {
 protected:
  ClientGone() {
    server_.repository().Put(std::make_shared<VqaModel>("1", *batcher_, [] { return true; }));
  }
  ~ClientGone() override {
    for (Gate* gate : {&engine_->preprocess, &engine_->look, &engine_->ask}) gate->Open();
    batcher_->Drain(Nanos(1'000'000'000));
  }

  /// What the model's statistics say on another connection, which the same thread reads.
  std::string Statistics() const {
    RawClient other(server_.port());
    other.Send("GET /v2/models/vqa/stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return other.ReadAll();
  }
  void ExpectFreedBy(RawClient& client, int num_gone, int num_left) {
    client.Leave();
    EXPECT_THAT(Statistics(), HasSubstr(R"("fail":{"count":)" + std::to_string(num_gone) + ","));
    EXPECT_EQ(batcher_->health().num_requests, num_left);
  }

  const SystemClock clock_;
  const std::shared_ptr<FakeEngine> engine_ = std::make_shared<FakeEngine>();
  const std::unique_ptr<Batcher> batcher_ = std::move(Batcher::Start({}, engine_, clock_).value());
  TestServer server_;  // its thread may call the batcher
};

TEST_F(ClientGone, WhileItsImageIsDecodedFreesItsSlotBeforeAnythingElseIsAnswered) {
  engine_->preprocess.Close();
  RawClient client(server_.port());
  client.Send(AskAbout("a"));
  engine_->preprocess.Await(1);
  ExpectFreedBy(client, 1, 0);
}

TEST_F(ClientGone, WhileItIsLookedAtAndWhileItWaitsBehindThatFreesItsSlotBeforeAnythingElseIsAnswered) {
  engine_->look.Close();
  RawClient running(server_.port());
  running.Send(AskAbout("a"));
  engine_->look.Await(1);
  RawClient queued(server_.port());
  queued.Send(AskAbout("b"));
  engine_->preprocess.Await(2);
  EXPECT_EQ(batcher_->health().queue_length, 1);
  ExpectFreedBy(queued, 1, 1);
  EXPECT_EQ(batcher_->health().queue_length, 0);
  ExpectFreedBy(running, 2, 0);
  EXPECT_EQ(batcher_->health().num_running, 1) << "the engine's call is not cut off; its slot in the queue is free";
}

TEST_F(ClientGone, WhileItsQuestionsAreAskedFreesItsSlotBeforeAnythingElseIsAnswered) {
  engine_->ask.Close();
  RawClient client(server_.port());
  client.Send(AskAbout("a"));
  engine_->ask.Await(1);
  ExpectFreedBy(client, 1, 0);
}

TEST_F(ClientGone, OnceItsAnswerIsOnItsWayNothingOfItIsLeft) {
  RawClient client(server_.port());
  client.Send(AskAbout("a"));
  EXPECT_THAT(client.ReadUntil("a: q"), HasSubstr("HTTP/1.1 200"));
  ExpectFreedBy(client, 0, 0);
}

}  // namespace
}  // namespace pawsight::server::testing
