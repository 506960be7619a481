// gateway/api/testing.h: a whole gateway in the test's process but for the model: real store, path, notifier and
// server, with a backend that answers as told. Every answer is held to docs/openapi.yaml. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frames/decode.h"
#include "frames/encode.h"
#include "gateway/api/api.h"
#include "gateway/api/openapi.h"
#include "gateway/api/schema_testing.h"
#include "gateway/api/store_record.h"
#include "net/http_server.h"
#include "net/testing.h"
#include "notify/post_office.h"

namespace pawsight::gateway::testing {

/// Decodes the frame and answers every question with one p_yes, at once, unless it was told otherwise. Thread-safe.
class ToldBackend : public AsyncBackend {
 public:
  void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) override {
    if (const auto image = frames::Decode(*inquiry.encoded); !image.ok()) return done(image.status());
    Result<Reply> reply = AnswerTo(inquiry);
    {
      MutexLock lock(mu_);
      if (holds_) {
        held_.emplace_back([done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
        came_.NotifyAll();
        return;
      }
    }
    done(std::move(reply));
  }
  /// From now on: of this question alone.
  void Tell(const std::string& question, double its_p_yes) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    told_[question] = its_p_yes;
  }
  /// From now on every inquiry fails so; OK: none.
  void Fail(Status trouble) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    trouble_ = std::move(trouble);
  }
  /// From now on no answer comes, until Release.
  void Hold() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    holds_ = true;
  }
  void AwaitHeld() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (held_.empty()) came_.Wait(mu_);
  }
  void Release() EXCLUDES(mu_) {
    std::vector<std::function<void()>> now;
    {
      MutexLock lock(mu_);
      holds_ = false;
      now.swap(held_);
    }
    for (const std::function<void()>& answer : now) answer();
  }
  std::atomic<double> p_yes{0.1};

 private:
  Result<Reply> AnswerTo(const Inquiry& inquiry) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (!trouble_.ok()) return trouble_;
    Reply reply;
    for (const std::string& question : inquiry.questions) {
      const auto told = told_.find(question);
      const double p = told == told_.end() ? p_yes.load() : told->second;
      reply.answers.push_back({question, p > 0.5 ? "yes" : "no", p, std::nullopt});
    }
    reply.pool = "told";
    return reply;
  }

  Mutex mu_;
  CondVar came_;
  std::map<std::string, double> told_ GUARDED_BY(mu_);
  Status trouble_ GUARDED_BY(mu_);
  bool holds_ GUARDED_BY(mu_) = false;
  std::vector<std::function<void()>> held_ GUARDED_BY(mu_);
};

/// A server that is not there.
class AbsentClient : public client::InferenceClient {
 public:
  CallId Infer(std::shared_ptr<const protocol::InferRequest>, client::Deadline, Done done) override {
    done({Unavailable("absent"), false, std::nullopt});
    return 0;
  }
  void Cancel(CallId) override {}
  void CheckReady(client::Deadline, std::function<void(Status)> done) override { done(Unavailable("absent")); }
  void GetMetadata(const std::string&, client::Deadline,
                   std::function<void(Result<protocol::ModelMetadata>)> done) override {
    done(Unavailable("absent"));
  }
};
inline Result<std::shared_ptr<client::InferenceClient>> MakeAbsentClient(const EndpointConfig& endpoint) {
  if (endpoint.kind != "http") return FailedPrecondition("no endpoint of the kind " + endpoint.kind);
  return std::shared_ptr<client::InferenceClient>(std::make_shared<AbsentClient>());
}

/// A name server that knows no name.
class NamelessResolver : public notify::Resolver {
 public:
  Result<std::vector<notify::IpAddress>> Resolve(const std::string&) override { return Unavailable("no such name"); }
};

/// What came back.
struct Came {
  int status = 0;
  std::string head;
  std::string body;
  Json json;  // null when the body is none

  std::string Code() const {
    return json.is_object() && json.Find("code") != nullptr ? json.Find("code")->as_string() : "";
  }
  /// A text member of the body; fails the test when there is none.
  std::string Text(std::string_view key) const {
    const Result<std::string> text = json.GetString(key);
    EXPECT_TRUE(text.ok()) << body;
    return text.ok() ? *text : "";
  }
  std::string Header(const std::string& name) const {
    const size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

/// A JPEG of one colour; another number, another picture.
inline std::string Jpeg(int number = 0) {
  frames::Image image;
  image.width = 64;
  image.height = 48;
  image.rgb.resize(static_cast<size_t>(64 * 48 * 3));
  for (size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] = static_cast<uint8_t>(number * 37 + static_cast<int>(i) % 97);
  const std::vector<uint8_t> bytes = frames::EncodeJpeg(image, 85).value();
  return {bytes.begin(), bytes.end()};
}

class ApiTest : public ::testing::Test {
 protected:
  explicit ApiTest(bool pull = false) : pull_(pull) {
    std::string pattern = std::filesystem::temp_directory_path() / "pawsight-api-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = events::Store::Open(folder_ + "/gateway.sqlite").value();
    notify::PostOfficeOptions receivers;
    receivers.allowed_networks = {"127.0.0.0/8"};
    receivers.allow_plain = true;
    office_ = notify::PostOffice::Open(*store_, clock_, receivers, notify::SecretKeys::Make().value(),
                                       std::make_shared<NamelessResolver>())
                  .value();
    admin_ = MakeAdmin(*store_, clock_, false, [](const std::string&) { return Ok(); }).value();
    record_ = std::make_unique<StoreRecord>(*store_, clock_, std::chrono::hours(24));
    FramePathOptions path;
    path.device_rate = 10000;
    path.device_burst = 10000;
    path_ = std::make_unique<FramePath>(backend_, record_.get(), clock_, path);
    registry_ = std::make_unique<Registry>(*store_, *path_);
    record_->SetRegistry(*registry_);
    Serve();
  }
  ~ApiTest() override {
    server_->Stop();
    EXPECT_TRUE(api_->Drain(std::chrono::seconds(20)));
    server_.reset();
    api_.reset();
    office_.reset();
    registry_.reset();
    path_.reset();
    record_->Stop();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Sends it and holds the answer to the document. `headers` are whole lines with their ends.
  Came Call(const std::string& method, const std::string& target, const std::string& token,
            const std::string& body = "", const std::string& headers = "") const {
    net::testing::RawClient client(server_->port());
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers;
    if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
    if (!body.empty() || method == "POST" || method == "PUT") {
      request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    client.Send(request + "\r\n" + body);
    const std::string whole = client.ReadAll();
    Came came;
    const size_t end = std::min(whole.find("\r\n\r\n"), whole.size());
    came.head = whole.substr(0, end);
    came.body = end + 4 <= whole.size() ? whole.substr(end + 4) : "";
    came.status = whole.size() > 12 ? std::atoi(whole.c_str() + 9) : 0;
    if (Result<Json> json = Json::Parse(came.body); json.ok()) came.json = *std::move(json);
    EXPECT_EQ(DocumentFault(method, target, came), "") << method << " " << target << " " << whole.substr(0, 2000);
    return came;
  }
  Came Get(const std::string& target, const std::string& token) const { return Call("GET", target, token); }
  Came Post(const std::string& target, const std::string& token, const std::string& body) const {
    return Call("POST", target, token, body, "Content-Type: application/json\r\n");
  }
  Came Put(const std::string& target, const std::string& token, const std::string& body) const {
    return Call("PUT", target, token, body, "Content-Type: application/json\r\n");
  }

  /// An owner with an operator, a device and a camera of that device.
  struct Home {
    std::string owner, operator_token, device, device_token, camera;
  };
  Home MakeHome(const std::string& name) const {
    Home home;
    const Came owner = Post("/v1/owners", admin_, R"({"name":")" + name + "\"}");
    home.owner = owner.Text("id");
    home.operator_token = owner.json.Find("credential")->GetString("token").value();
    const Came device = Post("/v1/devices", home.operator_token, R"({"name":"hall"})");
    home.device = device.Text("id");
    home.device_token = device.json.Find("credential")->GetString("token").value();
    home.camera = Post("/v1/cameras", home.operator_token,
                       R"({"name":"kitchen","labels":{"room":"kitchen"},"gate":false,"device":")" + home.device + "\"}")
                      .Text("id");
    return home;
  }
  Came PostFrame(const Home& home, const std::string& bytes, const std::string& query = "?wait=answers",
                 const std::string& headers = "") const {
    return Call("POST", "/v1/cameras/" + home.camera + "/frames" + query, home.device_token, bytes,
                "Content-Type: image/jpeg\r\n" + headers);
  }

  /// The operation that a method and target are of; null when the document has none.
  const Json* OperationOf(const std::string& method, const std::string& target) const {
    const std::string path = target.substr(0, target.find('?'));
    for (const auto& [pattern, item] : document_.Find("paths")->as_object()) {
      net::Router one;
      one.Add("X", pattern, [](const net::HttpRequest&) { return net::HttpResponse{}; });
      if (one.Find("X", path).handler == nullptr) continue;
      const Json* operation = item.Find(net::LowerCase(method));
      if (operation != nullptr) return operation;
    }
    return nullptr;
  }
  /// Whether the document says that such an answer may come; "" or why not.
  std::string DocumentFault(const std::string& method, const std::string& target, const Came& came) const {
    const Json* operation = OperationOf(method, target);
    if (operation == nullptr) return {};  // what is not there is asked for on purpose
    const Json* responses = operation->Find("responses");
    const Json* given = responses->Find(std::to_string(came.status));
    if (given == nullptr && came.status < 400) return "status " + std::to_string(came.status) + " is not described";
    if (given == nullptr) given = responses->Find("default");
    const Json* content = Follow(document_, *given).Find("content");
    if (content == nullptr) return came.body.empty() ? "" : "has a body";
    const std::string type = came.Header("Content-Type");
    for (const auto& [described, media] : content->as_object()) {
      const bool any_image = described == "image/*" && type.starts_with("image/");
      if (described != type && !any_image) continue;
      if (type.find("json") == std::string::npos) return {};
      return Fault(document_, *media.Find("schema"), came.json, "body");
    }
    return "type " + type + " is not described";
  }

  const bool pull_;  // an owner may name a source; nothing is fetched
  const SystemClock clock_;
  const Json document_ = OpenApiDocument();
  std::string folder_;
  std::string admin_;
  ToldBackend backend_;
  Backends backends_{BackendsOptions{}, MakeAbsentClient, clock_};
  std::unique_ptr<events::Store> store_;
  std::unique_ptr<notify::PostOffice> office_;
  std::unique_ptr<StoreRecord> record_;
  std::unique_ptr<FramePath> path_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<GatewayApi> api_;
  std::unique_ptr<net::HttpServer> server_;

 private:
  void Serve() {
    ApiOptions options;
    options.authenticator.max_wrong = 100;
    options.cameras.pull = pull_;
    api_ = std::make_unique<GatewayApi>(
        ApiParts{*store_, *path_, *registry_, backends_, MakeAbsentClient, backend_, *office_, clock_,
                 [] { return std::vector<std::string>(); }, [this] { return path_->Metrics(); },
                 [] { return AutoscaleView{}; }, nullptr},
        options);
    CHECK(registry_->Load().ok());
    net::HttpServerOptions http;
    http.max_body_bytes = 16U << 20U;
    api_->Prepare(&http);
    server_ = std::move(net::HttpServer::Start(http, api_->router())).value();
  }
};

}  // namespace pawsight::gateway::testing
