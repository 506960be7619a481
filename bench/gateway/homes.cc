#include "gateway/homes.h"

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "frames/encode.h"
#include "scenes/draw.h"

namespace pawsight::bench {
namespace {

constexpr size_t kTagBytes = 64;  // at a frame's end: what AnswerTo gives, filled up with spaces
constexpr int kMakers = 8;        // connections that make homes

const std::string& Photo() {
  static const std::string photo = [] {
    const auto jpeg = frames::EncodeJpeg(scenes::Draw(11, 320, 240).image, 85);
    CHECK(jpeg.ok());
    return std::string(jpeg->begin(), jpeg->end());
  }();
  return photo;
}

class TruthfulModel : public server::EmptyModel {
 public:
  void Infer(std::shared_ptr<const protocol::InferRequest> request, const server::RequestContext&, Done done) override {
    const protocol::InputTensor& image = *request->Find("image");
    const size_t num_questions = request->Find("question")->elements.size() / image.elements.size();
    protocol::InferResponse response{Metadata().name, Metadata().versions.front(), {}, {}};
    const std::vector<int64_t> shape = {static_cast<int64_t>(image.elements.size()),
                                        static_cast<int64_t>(num_questions)};
    std::vector<std::string> answers;
    std::vector<float> p_yes;
    for (const std::string_view bytes : image.elements) {
      const std::string_view tag = bytes.substr(bytes.size() - std::min(bytes.size(), kTagBytes));
      const std::string_view said = tag.substr(0, tag.find(' '));
      answers.insert(answers.end(), num_questions, std::string(said));
      p_yes.insert(p_yes.end(), num_questions, said.ends_with("yes") ? 0.95F : 0.05F);
    }
    response.outputs.push_back(protocol::BytesOutput("answer", shape, std::move(answers)));
    response.outputs.push_back(protocol::Fp32Output("p_yes", shape, std::move(p_yes)));
    done(std::move(response));
  }
};

std::string Text(const Json& json, std::string_view key) {
  const Result<std::string> text = json.GetString(key);
  CHECK(text.ok());
  return *text;
}

Home MakeHome(ApiConnection& api, const std::string& admin, int cameras_each, const std::string& rule,
              const std::string& hook) {
  const Json owner = api.Must("POST", "/v1/owners", admin, R"({"name":"home"})");
  Home home;
  home.owner = Text(owner, "id");
  home.operator_token = Text(*owner.Find("credential"), "token");
  const Json device = api.Must("POST", "/v1/devices", home.operator_token, R"({"name":"hub"})");
  home.device_token = Text(*device.Find("credential"), "token");
  for (int n = 0; n < cameras_each; ++n) {
    const Json document =
        Json::Object{{"name", "room " + std::to_string(n)}, {"gate", false}, {"device", Text(device, "id")}};
    home.cameras.push_back(Text(api.Must("POST", "/v1/cameras", home.operator_token, document.Dump()), "id"));
  }
  if (!hook.empty()) {
    const Json document = Json::Object{{"name", "hook"}, {"config", Json::Object{{"kind", "webhook"}, {"url", hook}}}};
    (void)api.Must("POST", "/v1/receivers", home.operator_token, document.Dump());
  }
  if (!rule.empty()) (void)api.Must("POST", "/v1/rules", home.operator_token, rule);
  return home;
}

}  // namespace

std::vector<Home> MakeHomes(const tools::GatewayProcess& gateway, int count, int cameras_each, const std::string& rule,
                            const std::string& hook) {
  std::vector<Home> homes(static_cast<size_t>(count));
  std::atomic<size_t> next{0};
  std::vector<std::jthread> makers;
  for (int n = 0; n < kMakers; ++n) {
    makers.emplace_back([&] {
      ApiConnection api(gateway.port());
      for (size_t i = next++; i < homes.size(); i = next++) {
        homes[i] = MakeHome(api, gateway.admin(), cameras_each, rule, hook);
        if ((i + 1) % 50 == 0) std::fprintf(stderr, "  %zu of %d homes made\n", i + 1, count);
      }
    });
  }
  makers.clear();
  return homes;
}

std::string AnswerTo(const std::string& camera, int64_t number, bool yes) {
  return camera + "/" + std::to_string(number) + (yes ? "/yes" : "/no");
}

std::string Frame(const std::string& camera, int64_t number, bool yes, size_t bytes) {
  std::string frame = Photo();
  frame.resize(std::max(frame.size(), bytes - kTagBytes));
  std::string tag = AnswerTo(camera, number, yes);
  tag.resize(kTagBytes, ' ');
  return frame + tag;
}

TruthfulWorker::TruthfulWorker() : endpoint_(repository_, clock_) {
  repository_.Put(std::make_shared<TruthfulModel>());
  endpoint_.AddRoutes(router_);
  net::HttpServerOptions options;
  options.max_connections = 1024;
  http_ = std::move(net::HttpServer::Start(options, router_).value());
}

Json TruthfulWorker::Pool(const std::string& name) const {
  return Json::Object{{"name", name}, {"endpoints", Json::Array{Json::Object{{"kind", "http"}, {"address", url()}}}}};
}

}  // namespace pawsight::bench
