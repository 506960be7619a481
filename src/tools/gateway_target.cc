#include "tools/gateway_target.h"

#include <chrono>
#include <future>
#include <numeric>
#include <utility>

#include "base/json.h"
#include "client/http_exchange.h"

namespace pawsight::tools {
namespace {

constexpr std::chrono::seconds kPatience(10);  // of a call that is no frame
constexpr size_t kMaxCalls = 4096;
constexpr size_t kMaxBytes = 1U << 30U;  // of frames under way
constexpr int kMaxPages = 1000;          // of owners, when leftovers are looked for
constexpr int kHoldSeconds = 86400;      // the longest `for_s` there is: no load lasts as long

Result<std::unique_ptr<client::HttpClient>> ClientOf(const std::string& url, const std::string& token,
                                                     client::IoThread& io) {
  client::HttpClientOptions options;
  options.url = url;
  options.token = token;
  options.max_connections = kMaxCalls;
  options.max_bytes_in_flight = kMaxBytes;
  return client::HttpClient::Make(options, io);
}

Result<net::ReceivedResponse> Exchange(client::HttpClient& server, client::HttpClient::Request request) {
  const auto told = std::make_shared<std::promise<Result<net::ReceivedResponse>>>();
  server.Exchange(std::move(request), std::chrono::steady_clock::now() + kPatience,
                  [told](Result<net::ReceivedResponse> response) { told->set_value(std::move(response)); });
  return told->get_future().get();
}

Result<Json> Post(client::HttpClient& server, const std::string& target, const Json& document) {
  PAWSIGHT_ASSIGN_OR_RETURN(
      const std::string body,
      Fetch(server, {.method = "POST", .target = target, .content_type = "application/json", .body = document.Dump()}));
  return Json::Parse(body);
}

/// Its id goes into paths.
Result<std::string> IdOf(const Json& json) {
  PAWSIGHT_ASSIGN_OR_RETURN(std::string id, json.GetString("id"));
  if (!net::IsPlainPath("/" + id)) return DataLoss("the gateway's answer: id: want letters, digits and -._~");
  return id;
}

Result<Time> TimeOf(const Json& owner) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string created, owner.GetString("created"));
  return ParseTime(created);
}

}  // namespace

Result<ServerKind> KindOf(int live_status, int me_status) {
  if (live_status != 404) return ServerKind::kInference;
  if (me_status == 200 || me_status == 401 || me_status == 403) return ServerKind::kGateway;
  return FailedPrecondition("neither an inference server (GET /v2/health/live) nor a gateway (GET /v1/me)");
}

Result<ServerKind> AskKind(client::HttpClient& server) {
  PAWSIGHT_ASSIGN_OR_RETURN(const net::ReceivedResponse live, Exchange(server, {.target = "/v2/health/live"}));
  if (live.status != 404) return KindOf(live.status, 0);
  PAWSIGHT_ASSIGN_OR_RETURN(const net::ReceivedResponse me, Exchange(server, {.target = "/v1/me"}));
  return KindOf(live.status, me.status);
}

Result<std::string> Fetch(client::HttpClient& server, client::HttpClient::Request request) {
  PAWSIGHT_ASSIGN_OR_RETURN(net::ReceivedResponse response, Exchange(server, std::move(request)));
  if (response.status < 200 || response.status > 299) return client::StatusOf(response);
  return std::move(response.body);
}

CallOutcome FrameOutcome(const net::ReceivedResponse& response) {
  const Status status = client::StatusOf(response);
  if (status.ok()) return {};
  return {status.reason(), IsShed(status.reason())};
}

void FreeCameras::Add(size_t count) {
  MutexLock lock(mu_);
  for (; count > 0; --count) {
    free_.push_back(cameras_.size());
    cameras_.emplace_back();
  }
}

FreeCameras::Turn FreeCameras::Take() {
  MutexLock lock(mu_);
  size_t camera = turn_;
  if (free_.empty()) {
    turn_ = (turn_ + 1) % cameras_.size();
  } else {
    camera = free_.front();
    free_.pop_front();
  }
  ++cameras_[camera].under_way;
  return {camera, cameras_[camera].turns++};
}

void FreeCameras::GiveBack(size_t camera) {
  MutexLock lock(mu_);
  if (--cameras_[camera].under_way == 0) free_.push_back(camera);
}

int64_t PictureOf(const FreeCameras::Turn& turn, int64_t count) {
  int64_t step = count / 4 + 1;
  while (std::gcd(step, count) != 1) ++step;  // so that all pictures have their turn
  return (static_cast<int64_t>(turn.camera) + turn.number % count * step) % count;
}

Result<std::unique_ptr<GatewayTarget>> GatewayTarget::Make(const GatewayTargetOptions& options,
                                                           const LoadFrames& frames, client::IoThread& io,
                                                           std::stop_token stop) {
  if (options.cameras < 1 || options.cameras > 10'000) return InvalidArgument("cameras: want 1..10000");
  PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<client::HttpClient> admin, ClientOf(options.url, options.token, io));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string me, Fetch(*admin, {.target = "/v1/me"}));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json who, Json::Parse(me));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string role, who.GetString("role"));
  if (role != "admin") {
    return PermissionDenied(
        "the token is of the role " + role.substr(0, 32) +
        "; want an admin's, so that the load has an owner of its own and nobody's rules look at it");
  }
  PAWSIGHT_RETURN_IF_ERROR(Fetch(*admin, {.target = "/readyz"}).status());
  std::unique_ptr<GatewayTarget> target(new GatewayTarget(std::move(admin), frames));
  target->wait_ = options.wait;
  std::string token;
  PAWSIGHT_RETURN_IF_ERROR(target->MakeOwner(options, io, stop, &token));  // what was made by then is removed again
  target->leftovers_ = target->RemoveLeftovers(options, stop);
  PAWSIGHT_RETURN_IF_ERROR(target->MakeRules(options.questions));
  if (!options.wait) {
    PAWSIGHT_ASSIGN_OR_RETURN(target->live_, LiveStream::Begin(options.url, token, target->awaited_));
  }
  return target;
}

Status GatewayTarget::MakeOwner(const GatewayTargetOptions& options, client::IoThread& io, const std::stop_token& stop,
                                std::string* token) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json owner,
                            Post(*admin_, "/v1/owners", Json::Object{{"name", NameOfMark(options.mark)}}));
  PAWSIGHT_ASSIGN_OR_RETURN(owner_id_, IdOf(owner));
  PAWSIGHT_ASSIGN_OR_RETURN(made_, TimeOf(owner));
  const Json* credential = owner.Find("credential");
  if (credential == nullptr) return DataLoss("the gateway's answer: credential: missing");
  PAWSIGHT_ASSIGN_OR_RETURN(*token, credential->GetString("token"));
  PAWSIGHT_ASSIGN_OR_RETURN(owner_, ClientOf(options.url, *token, io));
  return HaveCameras(options.cameras, stop);
}

Status GatewayTarget::HaveCameras(int count, const std::stop_token& stop) {
  while (cameras_.size() < static_cast<size_t>(count)) {
    if (stop.stop_requested()) return Cancelled("stopped");
    const Json camera(Json::Object{{"name", "camera " + std::to_string(cameras_.size() + 1)}});
    PAWSIGHT_ASSIGN_OR_RETURN(const Json made, Post(*owner_, "/v1/cameras", camera));
    PAWSIGHT_ASSIGN_OR_RETURN(std::string id, IdOf(made));
    cameras_.push_back(std::move(id));
    free_.Add(1);
  }
  return Ok();
}

Result<int> GatewayTarget::RemoveLeftovers(const GatewayTargetOptions& options, const std::stop_token& stop) {
  const RunSight sight{made_, options.mark.place, options.runs_that_are_over};
  int removed = 0;
  std::string cursor;
  for (int page = 0; page < kMaxPages; ++page) {
    if (stop.stop_requested()) return Cancelled("stopped");
    PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, Fetch(*admin_, {.target = "/v1/owners?limit=1000" + cursor}));
    PAWSIGHT_ASSIGN_OR_RETURN(const Json owners, Json::Parse(text));
    PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const items, owners.GetArray("items"));
    for (const Json& owner : *items) {
      PAWSIGHT_ASSIGN_OR_RETURN(const std::string name, owner.GetString("name"));
      const std::optional<RunMark> mark = MarkOfName(name);
      if (!mark || mark->run == options.mark.run) continue;
      PAWSIGHT_ASSIGN_OR_RETURN(const Time made, TimeOf(owner));
      if (!IsOver(*mark, made, sight)) continue;
      PAWSIGHT_ASSIGN_OR_RETURN(const std::string id, IdOf(owner));
      const Status erased = Fetch(*admin_, {.method = "DELETE", .target = "/v1/owners/" + id}).status();
      if (!erased.ok() && erased.code() != StatusCode::kNotFound) return erased;  // another run may have done it
      removed += erased.ok() ? 1 : 0;
    }
    const Json* next = owners.Find("next");
    if (next == nullptr || !next->is_string() || !net::IsPlainPath("/" + next->as_string())) return removed;
    cursor = "&cursor=" + next->as_string();
  }
  return ResourceExhausted("more owners than were looked through");
}

Status GatewayTarget::MakeRules(const std::vector<std::string>& questions) {
  for (const std::string& question : questions) {
    const auto made =
        Post(*owner_, "/v1/rules?force=true", Json::Object{{"question", question}, {"for_s", kHoldSeconds}});
    if (!made.ok()) return Annotate(made.status(), "\"" + question + "\"");
  }
  return Ok();
}

GatewayTarget::~GatewayTarget() { (void)Remove(); }  // whoever wants to know has called it

SendFrame GatewayTarget::Sender() {
  return [this](int64_t number, client::Deadline deadline, OnEnded on_ended) {
    const FreeCameras::Turn turn = free_.Take();
    OnEnded ended = [this, camera = turn.camera, on_ended = std::move(on_ended)](CallOutcome outcome) {
      free_.GiveBack(camera);
      on_ended(std::move(outcome));
    };
    client::HttpClient::Request request{
        .method = "POST",
        .target = "/v1/cameras/" + cameras_[turn.camera] + "/frames" + (wait_ ? "?wait=answers" : ""),
        .content_type = "image/jpeg",
        .body = frames_.Image(number, PictureOf(turn, frames_.count()))};
    owner_->Exchange(std::move(request), deadline,
                     [this, deadline, breaks = awaited_.Posted(),
                      ended = std::move(ended)](const Result<net::ReceivedResponse>& response) {
                       const auto ends = [&](CallOutcome outcome) {
                         awaited_.NotTaken();
                         ended(std::move(outcome));
                       };
                       if (!response.ok()) return ends(OutcomeOf({response.status(), true, std::nullopt}));
                       if (wait_ || response->status != 202) return ends(FrameOutcome(*response));
                       const Result<Json> json = Json::Parse(response->body);
                       const Result<std::string> frame = json.ok() ? json->GetString("frame") : json.status();
                       if (!frame.ok()) return ends({"no_frame_id"});
                       awaited_.Await(*frame, deadline, breaks, ended);
                     });
  };
}

Status GatewayTarget::CheckThere() { return Exchange(*admin_, {.target = "/healthz"}).status(); }

Result<std::string> GatewayTarget::Metrics() { return Fetch(*admin_, {.target = "/metrics"}); }

Status GatewayTarget::Remove() {
  live_.reset();
  if (owner_id_.empty()) return Ok();
  const Result<std::string> erased = Fetch(*admin_, {.method = "DELETE", .target = "/v1/owners/" + owner_id_});
  if (!erased.ok()) return Annotate(erased.status(), "the owner " + owner_id_ + " is left");
  owner_id_.clear();
  return Ok();
}

}  // namespace pawsight::tools
