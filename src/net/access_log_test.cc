#include "net/access_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/files.h"
#include "base/log.h"
#include "net/http_metrics.h"
#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;

class AccessLogTest : public ::testing::Test {
 protected:
  AccessLogTest() {
    std::string name = ::testing::TempDir() + "access_log_XXXXXX";
    CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~AccessLogTest() override {
    log_.reset();
    for (const char* file : {"/log", "/old", "/fifo"}) unlink((folder_ + file).c_str());
    rmdir(folder_.c_str());
  }
  void Open(const std::string& path, int lines_per_second = 1000, size_t max_buffered_bytes = 256U << 10U) {
    log_ = std::move(AccessLog::Open({path, lines_per_second, max_buffered_bytes}, clock_).value());
  }
  void Ask(bool well = true) {
    if (log_->Wants(well)) log_->Write({.listener = "http", .status = well ? "200" : "400"});
  }
  /// Of all lines, once the log is closed.
  std::string Read(const std::string& name = "/log") {
    log_.reset();
    return ReadTextFile(folder_ + name, 1U << 20U).value();
  }
  void WaitFor(uint64_t written, uint64_t lost) const {
    while (log_->counts().written < written || log_->counts().lost < lost) usleep(500);
  }

  ManualClock clock_{Time{std::chrono::hours(24 * 365 * 50)}};
  std::string folder_;
  std::unique_ptr<AccessLog> log_;
};

class Notes : public AccessNotes {
 public:
  void AppendTo(std::string* line) const override { AppendLogField(line, "model", "vqa"); }
};

TEST_F(AccessLogTest, ALineSaysWhoAskedWhatCameOfItAndHowLongItTook) {
  Open(folder_ + "/log");
  ASSERT_TRUE(log_->Wants(false));
  const Notes notes;
  log_->Write({.listener = "http",
               .method = "POST",
               .path = "/v2/models/vqa/infer",
               .status = "429",
               .reason = "queue_full",
               .whole = false,
               .bytes_in = 30228,
               .bytes_out = 310,
               .total = std::chrono::microseconds(12345),
               .peer = "127.0.0.1:51324",
               .notes = &notes});
  EXPECT_EQ(Read(),
            "2019-12-20T00:00:00.000Z info access listener=http method=POST path=/v2/models/vqa/infer status=429 "
            "reason=queue_full whole=no bytes_in=30228 bytes_out=310 model=vqa total_ms=12.345 peer=127.0.0.1:51324\n");
}

TEST_F(AccessLogTest, LinesOverTheRateAreLeftOutAndCountedAndFailuresHaveARateOfTheirOwn) {
  Open(folder_ + "/log", 2);
  for (int n = 0; n < 10; ++n) Ask();
  EXPECT_EQ(log_->counts().suppressed, 6U) << "twice the rate at once";
  Ask(false);
  clock_.Advance(seconds(1));
  for (int n = 0; n < 10; ++n) Ask();
  EXPECT_EQ(log_->counts().suppressed, 14U);
  const std::string lines = Read();
  EXPECT_THAT(lines, HasSubstr("status=400 bytes_in=0 bytes_out=0 total_ms=0.000 left_out=6\n"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4 + 1 + 2);
}

TEST_F(AccessLogTest, AFullDiskLosesLinesAndCountsThemAndNothingElse) {
  Open("/dev/full");
  for (int n = 0; n < 100; ++n) Ask();
  WaitFor(0, 100);
  EXPECT_EQ(log_->counts().written, 0U);
}

TEST_F(AccessLogTest, WhoeverReadsTooSlowlyHoldsNobodyUp) {
  const std::string fifo = folder_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(AccessLog::Open({.path = fifo}, clock_).status().code(), StatusCode::kFailedPrecondition) << "nobody reads";
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  Open(fifo, 100000, 8192);
  for (int n = 0; n < 5000; ++n) Ask();  // more than a pipe holds
  EXPECT_GT(log_->counts().lost, 0U);
  close(reader);
  const uint64_t lost = log_->counts().lost;
  Ask();
  WaitFor(0, lost + 1);  // and whoever goes away ends nothing
}

TEST_F(AccessLogTest, AfterARotationTheNewFileIsWrittenAndAFolderThatIsGoneChangesNothing) {
  Open(folder_ + "/log");
  Ask();
  WaitFor(1, 0);
  ASSERT_EQ(rename((folder_ + "/log").c_str(), (folder_ + "/old").c_str()), 0);
  ASSERT_TRUE(log_->Reopen().ok());
  Ask();
  Ask();
  const std::string lines = Read();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  const std::string before = Read("/old");
  EXPECT_EQ(std::count(before.begin(), before.end(), '\n'), 1);
  EXPECT_EQ(AccessLog::Open({.path = folder_ + "/none/log"}, clock_).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(AccessLogTest, AServerTellsOfEveryRequestWithoutItsQueryOrBody) {
  Open(folder_ + "/log");
  Router router;
  router.Add("POST", "/echo", [](const HttpRequest& request) {
    HttpResponse response;
    response.body = request.body;
    response.notes = std::make_shared<Notes>();
    return response;
  });
  HttpServerOptions options;
  options.answered = LogTo(*log_, "http");
  options.header_timeout = seconds(1);
  auto server = std::move(HttpServer::Start(options, router).value());
  {
    RawClient client(server->port());
    client.Send(
        "POST /echo?secret=1 HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.9.8.7\r\nContent-Length: "
        "5\r\n\r\nhello" +
        std::string("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\nrubbish\r\n\r\n"));
    client.ReadAll();
    RawClient slow(server->port());
    slow.Send("GET /echo");
    slow.ReadAll();
  }
  const NamedHttpServer named{"http", *server};
  const std::string metrics = HttpMetrics({&named, 1});
  server.reset();
  const std::string lines = Read();
  EXPECT_THAT(lines, AllOf(HasSubstr("method=POST path=/echo status=200 bytes_in=5"), HasSubstr(" model=vqa ")));
  EXPECT_THAT(lines, HasSubstr("method=GET path=/none status=404 reason=no_such_path"));
  EXPECT_THAT(lines, HasSubstr("access listener=http status=400 reason=malformed"));
  EXPECT_THAT(lines, HasSubstr("access listener=http status=408 reason=too_slow"));
  EXPECT_THAT(lines, AllOf(Not(HasSubstr("secret")), Not(HasSubstr("hello")), HasSubstr(" peer=127.0.0.1:")));
  EXPECT_THAT(lines, Not(HasSubstr("10.9.8.7"))) << "B27: who a client says it is counts for nothing";
  EXPECT_THAT(metrics, HasSubstr("pawsight_net_responses_total{listener=\"http\",status=\"404\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("pawsight_net_errors_total{listener=\"http\",reason=\"too_slow\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("pawsight_net_connections_total{listener=\"http\"} 2\n"));
}

}  // namespace
}  // namespace pawsight::net
