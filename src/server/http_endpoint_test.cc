#include "server/http_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "net/testing.h"
#include "server/testing.h"

namespace pawsight::server {
namespace {

using net::testing::RawClient;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TestServer;
using testing::WaitingModel;

const std::string kBody = R"({"id":"7","inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["x"]},)"
                          R"({"name":"question","datatype":"BYTES","shape":[2],"data":["a cat?","a dog?"]}]})";

std::string Post(const std::string& path, const std::string& body, const std::string& more = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more + "\r\n" + body;
}

/// The answer to one request, whole.
std::string Ask(int port, std::string bytes) {
  bytes.insert(bytes.find("\r\n") + 2, "Connection: close\r\n");
  RawClient client(port);
  client.Send(bytes);
  return client.ReadAll();
}

std::string Get(int port, const std::string& path) {
  return Ask(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

TEST(HttpEndpoint, AnInferRequestIsAnsweredWithItsId) {
  TestServer server;
  server.repository().Put(std::make_shared<EmptyModel>());
  for (const std::string path : {"/v2/models/vqa/infer", "/v2/models/vqa/versions/1/infer"}) {
    EXPECT_THAT(
        Ask(server.port(), Post(path, kBody)),
        AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Type: application/json\r\n"),
              EndsWith(
                  R"({"model_name":"vqa","model_version":"1","id":"7","outputs":[{"name":"answer","datatype":"BYTES",)"
                  R"("shape":[1,2],"data":["unsure","unsure"]},{"name":"p_yes","datatype":"FP32","shape":[1,2],)"
                  R"("data":[0.5,0.5]}]})")));
  }
}

TEST(HttpEndpoint, WhereTheTensorsBeginIsSaidOnce) {
  TestServer server;
  server.repository().Put(std::make_shared<EmptyModel>());
  const std::string length = "Inference-Header-Content-Length: " + std::to_string(kBody.size()) + "\r\n";
  EXPECT_THAT(Ask(server.port(), Post("/v2/models/vqa/infer", kBody, length)), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(
      Ask(server.port(), Post("/v2/models/vqa/infer", kBody, length + "inference-header-content-length: 2\r\n")),
      AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("header_length_invalid")))
      << "whoever looked at it on its way may have taken the other";
}

TEST(HttpEndpoint, HealthIsOfTheModelsAndOfTheServer) {
  TestServer server;
  EXPECT_THAT(Get(server.port(), "/v2/health/live"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get(server.port(), "/v2/health/ready"), StartsWith("HTTP/1.1 503")) << "no model yet";
  const auto model = std::make_shared<WaitingModel>();
  server.repository().Put(model);
  EXPECT_THAT(Get(server.port(), "/v2/health/ready"), StartsWith("HTTP/1.1 200"));
  model->ready = false;
  EXPECT_THAT(Get(server.port(), "/v2/health/ready"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Get(server.port(), "/v2/models/vqa/ready"), StartsWith("HTTP/1.1 503"));
  model->ready = true;
  server.repository().Leave();
  EXPECT_THAT(Get(server.port(), "/v2/health/ready"), StartsWith("HTTP/1.1 503")) << "leaving";
  EXPECT_THAT(Get(server.port(), "/v2/models/vqa/ready"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get(server.port(), "/v2/models/stats"), HasSubstr(R"({"model_stats":[{"name":"vqa")"));
}

TEST(HttpEndpoint, AStatusOfTheModelIsToldWithItsHttpStatus) {
  TestServer server;
  const auto model = std::make_shared<WaitingModel>();
  server.repository().Put(model);
  const std::pair<Status, std::string> cases[] = {{InvalidArgument("bad"), "400"},   {NotFound("bad"), "404"},
                                                  {ResourceExhausted("bad"), "429"}, {Cancelled("bad"), "499"},
                                                  {Internal("bad"), "500"},          {Unimplemented("bad"), "501"},
                                                  {Unavailable("bad"), "503"},       {DeadlineExceeded("bad"), "504"}};
  for (const auto& [status, http] : cases) {
    RawClient client(server.port());
    client.Send(Post("/v2/models/vqa/infer", kBody));
    model->Take().done(status);
    const std::string answer = client.ReadUntil(R"({"error":"bad"})");
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 " + http), EndsWith(R"({"error":"bad"})")));
    EXPECT_EQ(answer.find("Retry-After: 1\r\n") != answer.npos, http == "429" || http == "503") << http;
  }
}

TEST(HttpEndpoint, TheDeadlineIsTheArrivalAndTheTimeout) {
  TestServer server;
  const auto model = std::make_shared<WaitingModel>();
  server.repository().Put(model);
  RawClient client(server.port());
  client.Send(Post("/v2/models/vqa/infer", R"({"parameters":{"timeout":250000,"priority":2},)" + kBody.substr(1)));
  const WaitingModel::Entry entry = model->Take();
  EXPECT_EQ(entry.context.deadline - entry.context.arrival, milliseconds(250));
  EXPECT_EQ(entry.request->priority, 2U);
  entry.done(DeadlineExceeded("late"));
  client.Send(Post("/v2/models/vqa/infer", kBody));
  const WaitingModel::Entry next = model->Take();
  EXPECT_EQ(next.context.deadline, std::chrono::nanoseconds::max());
  next.done(Internal("enough"));
}

TEST(HttpEndpoint, B31TheModelIsToldWhenTheClientGoes) {
  TestServer server;
  const auto model = std::make_shared<WaitingModel>();
  server.repository().Put(model);
  auto client = std::make_unique<RawClient>(server.port());
  client->Send(Post("/v2/models/vqa/infer", kBody));
  const WaitingModel::Entry entry = model->Take();
  EXPECT_FALSE(entry.context.gone.stop_requested());
  std::promise<void> gone;
  // Answers as a model would that takes the work out of its queue: at once, on the thread that tells it.
  const std::stop_callback notice(entry.context.gone, [&] {
    entry.done(Cancelled("the client has gone"));
    gone.set_value();
  });
  client.reset();
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(HttpEndpoint, AModelIsSwappedWhileItsRequestsRun) {
  TestServer server;
  auto old = std::make_shared<WaitingModel>();
  const std::weak_ptr<Model> watched = old;
  server.repository().Put(old);
  RawClient client(server.port());
  client.Send(Post("/v2/models/vqa/infer", kBody));
  std::optional<WaitingModel::Entry> entry = old->Take();
  old.reset();
  server.repository().Put(std::make_shared<EmptyModel>());
  EXPECT_THAT(Ask(server.port(), Post("/v2/models/vqa/infer", kBody)), StartsWith("HTTP/1.1 200"));
  EXPECT_FALSE(watched.expired()) << "its request still runs";
  entry->done(Internal("old answer"));
  entry.reset();
  EXPECT_THAT(client.ReadUntil("old answer"), StartsWith("HTTP/1.1 500"));
  EXPECT_TRUE(watched.expired());
  server.repository().Remove("vqa");
  EXPECT_THAT(Ask(server.port(), Post("/v2/models/vqa/infer", kBody)), StartsWith("HTTP/1.1 404"));
}

TEST(HttpEndpoint, AnImageOrATextThatCannotBeUsedIsToldFromARequestThatCannotBeRead) {
  TestServer server;
  const auto model = std::make_shared<WaitingModel>();
  server.repository().Put(model);
  const std::pair<std::string, std::string> cases[] = {
      {"image_empty", "400"},     {"shape_invalid", "400"},     {"image_type_unsupported", "415"},
      {"image_truncated", "422"}, {"question_empty", "422"},    {"question_too_long", "422"},
      {"prompt_too_long", "422"}, {"too_many_questions", "422"}};
  for (const auto& [reason, http] : cases) {
    RawClient client(server.port());
    client.Send(Post("/v2/models/vqa/infer", kBody));
    model->Take().done(InvalidArgument("bad", reason));
    const std::string body = R"({"error":"bad","code":")" + reason + R"("})";
    EXPECT_THAT(client.ReadUntil(body), AllOf(StartsWith("HTTP/1.1 " + http), EndsWith(body)));
  }
}

TEST(HttpEndpoint, WhatTheServerRefusesIsAnErrorOfTheProtocolToo) {
  TestServer server;
  server.repository().Put(std::make_shared<EmptyModel>());
  EXPECT_THAT(Get(server.port(), "/v3"), AllOf(StartsWith("HTTP/1.1 404"),
                                               EndsWith(R"({"error":"there is nothing here","code":"no_such_path"})")));
  EXPECT_THAT(Get(server.port(), "/v2/models/vqa/infer"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: POST\r\n")));
  EXPECT_THAT(Get(server.port(), "/v2/../etc"), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("\r\n\r\n{\"error\":")));
  EXPECT_THAT(Ask(server.port(), Post("/v2/models/vqa/infer", kBody, "Content-Type: multipart/form-data\r\n")),
              StartsWith("HTTP/1.1 415"));
}

}  // namespace
}  // namespace pawsight::server
