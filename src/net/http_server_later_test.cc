// Responses that come later, from other threads; several I/O threads; what a connection may cost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "base/mutex.h"
#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::RawClient;
using ::testing::StartsWith;

/// Requests that wait until the test answers them.
class Waiting {
 public:
  struct Entry {
    std::shared_ptr<const HttpRequest> request;
    HttpResponder responder;
  };
  void Put(std::shared_ptr<const HttpRequest> request, HttpResponder responder) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    entries_.push_back({std::move(request), std::move(responder)});
    changed_.NotifyAll();
  }
  Entry Take() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (entries_.empty()) changed_.Wait(mu_);
    Entry entry = std::move(entries_.front());
    entries_.erase(entries_.begin());
    return entry;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<Entry> entries_ GUARDED_BY(mu_);
};

HttpResponse Text(std::string body) { return {200, "text/plain", std::move(body), {}}; }

class LaterTest : public ::testing::Test {
 protected:
  LaterTest() {
    router_.AddLater("POST", "/wait", [this](std::shared_ptr<const HttpRequest> request, HttpResponder responder) {
      waiting_.Put(std::move(request), std::move(responder));
    });
    router_.AddLater("POST", "/now",
                     [](const std::shared_ptr<const HttpRequest>& request, const HttpResponder& responder) {
                       responder.Respond(Text("now:" + request->body));
                     });
    router_.AddLater("POST", "/never", [](const auto&, const auto&) {});
    router_.Add("GET", "/look", [this](const HttpRequest&) {
      look_();
      return Text("looked");
    });
    router_.Add("GET", "/large", [](const HttpRequest&) { return Text(std::string(64U << 20U, 'x')); });
  }
  ~LaterTest() override { server_.reset(); }
  void Start() { server_ = std::move(HttpServer::Start(options_, router_).value()); }
  static std::string Post(const std::string& path, const std::string& body, const std::string& more = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           more + "\r\n" + body;
  }

  HttpServerOptions options_;
  Router router_;
  Waiting waiting_;
  std::function<void()> look_;  // on the server's thread
  std::unique_ptr<HttpServer> server_;
};

TEST_F(LaterTest, AResponseMayComeLaterFromAnotherThreadAndTheConnectionGoesOn) {
  Start();
  RawClient client(server_->port());
  client.Send(Post("/wait", "one"));
  std::thread([this] {
    Waiting::Entry entry = waiting_.Take();
    entry.responder.Respond(Text("late:" + entry.request->body));
  }).join();
  EXPECT_THAT(client.ReadUntil("late:one"), StartsWith("HTTP/1.1 200"));
  client.Send(Post("/now", "two"));
  EXPECT_THAT(client.ReadUntil("now:two"), StartsWith("HTTP/1.1 200"));
}

TEST_F(LaterTest, PipelinedRequestsAreAnsweredInOrderThoughSomeComeLater) {
  Start();
  RawClient client(server_->port());
  std::string all;
  for (int n = 0; n < 100; ++n) all += Post(n % 3 == 0 ? "/wait" : "/now", std::to_string(n));
  client.Send(all);
  std::thread answers([this] {
    for (int n = 0; n < 100; n += 3) {
      Waiting::Entry entry = waiting_.Take();
      entry.responder.Respond(Text("late:" + entry.request->body));
    }
  });
  for (int n = 0; n < 100; ++n) {
    const std::string mark = (n % 3 == 0 ? "late:" : "now:") + std::to_string(n);
    EXPECT_THAT(client.ReadUntil(mark), ::testing::EndsWith(mark));
  }
  answers.join();
}

TEST_F(LaterTest, B31AClientThatGoesIsNoticedBeforeWhatComesAfterItOnTheSameThread) {
  // No timer is between a client's going and its notice, so no time is measured here: http/client_goes does that.
  Start();
  RawClient client(server_->port());
  client.Send(Post("/wait", "x"));
  const Waiting::Entry entry = waiting_.Take();
  std::thread::id noticed_by;
  const std::stop_callback notice(entry.responder.gone(), [&] { noticed_by = std::this_thread::get_id(); });
  std::thread::id asked_by;
  bool gone_when_asked = false;
  look_ = [&] {
    asked_by = std::this_thread::get_id();
    gone_when_asked = entry.responder.gone().stop_requested();
  };
  client.Leave();
  RawClient other(server_->port());
  other.Send("GET /look HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(other.ReadUntil("looked"), HasSubstr("200"));
  EXPECT_TRUE(gone_when_asked);
  EXPECT_EQ(noticed_by, asked_by);
  entry.responder.Respond(Text("for nobody"));
  other.Send(Post("/now", "y"));
  EXPECT_THAT(other.ReadUntil("now:y"), ::testing::Not(HasSubstr("nobody")));
}

TEST_F(LaterTest, ALatecomersResponseGoesNowhereWhenTheServerHasStopped) {
  options_.stop_timeout = milliseconds(1);
  Start();
  RawClient client(server_->port());
  client.Send(Post("/wait", "x"));
  Waiting::Entry entry = waiting_.Take();
  server_.reset();
  EXPECT_TRUE(entry.responder.gone().stop_requested());
  entry.responder.Respond(Text("too late"));
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(LaterTest, StoppingWaitsForWhatIsBeingAnswered) {
  options_.stop_timeout = seconds(20);
  Start();
  RawClient client(server_->port());
  client.Send(Post("/wait", "x"));
  Waiting::Entry entry = waiting_.Take();
  std::thread stopper([this] { server_->Stop(); });
  entry.responder.Respond(Text("in time"));
  EXPECT_THAT(client.ReadAll(), HasSubstr("in time"));
  stopper.join();
}

TEST_F(LaterTest, ARequestThatIsGivenUpGets500) {
  Start();
  RawClient client(server_->port());
  client.Send(Post("/never", "x"));
  EXPECT_THAT(client.ReadUntil("given up"), StartsWith("HTTP/1.1 500"));
}

TEST_F(LaterTest, BodiesInFlightAreBoundedUntilTheirRequestsAreGone) {
  options_.max_bytes_in_flight = 1000;
  Start();
  RawClient first(server_->port());
  first.Send(Post("/wait", std::string(600, 'a')));
  std::optional<Waiting::Entry> entry = waiting_.Take();
  EXPECT_EQ(server_->bytes_in_flight(), 600U);
  RawClient second(server_->port());
  second.Send(Post("/now", std::string(600, 'b')));
  EXPECT_THAT(second.ReadAll(), ::testing::AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 1\r\n")));
  entry->responder.Respond(Text("done"));
  first.ReadUntil("done");
  EXPECT_EQ(server_->bytes_in_flight(), 600U) << "somebody still has the request";
  entry.reset();
  RawClient third(server_->port());
  third.Send(Post("/now", std::string(600, 'c')));
  EXPECT_THAT(third.ReadUntil("ccc"), StartsWith("HTTP/1.1 200"));
}

TEST_F(LaterTest, ANotFoundOrWrongMethodLeavesTheConnectionOpen) {
  Start();
  RawClient client(server_->port());
  client.Send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\nGET /now HTTP/1.1\r\nHost: localhost\r\n\r\n" +
              Post("/now", "z"));
  const std::string all = client.ReadUntil("now:z");
  EXPECT_THAT(all, ::testing::AllOf(HasSubstr("404"), HasSubstr("405"), HasSubstr("200")));
}

TEST_F(LaterTest, B2ABodyThatTricklesIsCutByItsRate) {
  options_.body_grace = seconds(1);
  options_.min_body_rate = 1000;
  Start();
  RawClient client(server_->port());
  client.Send("POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nslow");
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408"));
}

TEST_F(LaterTest, B3AResponseThatIsNotReadIsCut) {
  options_.write_timeout = seconds(1);
  Start();
  RawClient client(server_->port());
  client.Send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto before = std::chrono::steady_clock::now();
  while (server_->num_connections() > 0 || std::chrono::steady_clock::now() - before < milliseconds(100)) {
    ASSERT_LT(std::chrono::steady_clock::now() - before, seconds(20));
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_LT(client.ReadAll().size(), 64U << 20U);
}

TEST_F(LaterTest, B16ExpectContinueAndThenSilenceIsCut) {
  options_.body_timeout = seconds(1);
  Start();
  RawClient client(server_->port());
  client.Send("POST /now HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), ::testing::AllOf(StartsWith("HTTP/1.1 100"), HasSubstr("HTTP/1.1 408")));
}

TEST_F(LaterTest, SeveralThreadsServeManyConnectionsAtOnce) {
  options_.io_threads = 3;
  Start();
  std::atomic<bool> done{false};
  std::thread answers([&] {
    for (int n = 0; n < 8 * 50; ++n) {
      Waiting::Entry entry = waiting_.Take();
      entry.responder.Respond(Text("late:" + entry.request->body + "."));
    }
    done = true;
  });
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([this, c] {
      RawClient client(server_->port());
      for (int n = 0; n < 50; ++n) {
        const std::string body = std::to_string(c) + "-" + std::to_string(n);
        client.Send(Post("/wait", body));
        EXPECT_THAT(client.ReadUntil("late:" + body + "."), StartsWith("HTTP/1.1 200"));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  answers.join();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace pawsight::net
