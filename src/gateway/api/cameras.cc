#include "gateway/api/cameras.h"

#include <string_view>
#include <utility>

#include "events/ids.h"
#include "gateway/source.h"
#include "gateway/source_guard.h"
#include "net/http_client.h"

namespace pawsight::gateway {
namespace {

constexpr double kMinRefreshS = 1;
constexpr double kMaxRefreshS = 86400;
constexpr size_t kMaxSourceBytes = 512;

Json CameraJson(const events::Camera& camera) {
  Json::Object labels;
  for (const auto& [key, value] : LabelsFromTexts(camera.labels)) labels.emplace_back(key, value);
  const CameraTuning tuning = TuningOf(camera);
  return Json::Object{{"id", camera.id},
                      {"name", camera.name},
                      {"device", camera.device.empty() ? Json() : Json(camera.device)},
                      {"labels", std::move(labels)},
                      {"source", camera.source.empty() ? Json() : Json(net::RedactUrl(camera.source))},
                      {"enabled", camera.enabled},
                      {"keep_pictures", camera.keep_pictures},
                      {"gate", tuning.gate},
                      {"refresh_s", tuning.refresh_s},
                      {"fps", tuning.fps},
                      {"version", camera.version},
                      {"created", FormatTime(camera.created)}};
}

}  // namespace

/// Files and directories are the machine's, not an owner's.
Status CheckCameraSource(const std::string& source, bool pull) {
  if (source.empty()) return Ok();
  if (source.ends_with("?...")) {
    return InvalidArgument("source: as it is shown, without what follows the ?: type that again, and the password",
                           "field");
  }
  if (!pull) return PermissionDenied("source: this gateway pulls no cameras (its setting pull-cameras)", "pull_off");
  for (const char* scheme : {"http://", "https://", "rtsp://", "rtsps://"}) {
    if (!source.starts_with(scheme)) continue;
    const std::string host = HostOf(source);
    if (host.find('%') != std::string::npos) return InvalidArgument("source: want a host without %", "field");
    if (IsLinkLocal(host)) return InvalidArgument("source: no camera is pulled from a link-local address", "field");
    const Status parsed = ParseSource(source).status();
    return parsed.ok() ? Ok() : InvalidArgument(parsed.message(), "field");
  }
  return InvalidArgument("source: want http://, https://, rtsp:// or rtsps://", "field");
}

CamerasApi::CamerasApi(const ApiContext& context, Registry& registry, const CamerasOptions& options)
    : context_(context), registry_(registry), options_(options) {
  ApiRouter& router = context.router;
  router.Add("GET", "/v1/cameras", Access::kRead, this, &CamerasApi::List);
  router.AddLater("POST", "/v1/cameras", Access::kWrite, this, &CamerasApi::Create);
  router.Add("GET", "/v1/cameras/{camera}", Access::kRead, this, &CamerasApi::Get);
  router.AddLater("PUT", "/v1/cameras/{camera}", Access::kWrite, this, &CamerasApi::Update);
  router.AddLater("DELETE", "/v1/cameras/{camera}", Access::kWrite, this, &CamerasApi::Delete);
}

Result<net::HttpResponse> CamerasApi::List(const Call& call) const {
  return ListRows<events::Camera>(context_.store, call, "cam_", CameraJson);
}

Result<net::HttpResponse> CamerasApi::Get(const Call& call) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Camera camera,
                            context_.store.Get<events::Camera>(call.owner, call.Parameter(0)));
  return RowAnswer(200, CameraJson(camera), camera.version);
}

bool CamerasApi::Read(const Call& call, const Responder& reply, events::Camera* camera) const {
  CameraTuning tuning = TuningOf(*camera);
  const std::string stored = camera->source;
  Json labels;
  const bool read = ApiRouter::ReadFields(call, reply, [&](Fields& fields) {
    const bool is_there = camera->version != 0;
    fields.Given("id", is_there, camera->id);
    for (const char* shown : {"version", "created"}) fields.Given(shown, is_there);
    camera->name = fields.Text("name");
    camera->device = fields.Text("device", "");
    labels = fields.Any("labels");
    camera->source = fields.Text("source", "", kMaxSourceBytes);
    camera->enabled = fields.Flag("enabled", true);
    camera->keep_pictures = fields.Flag("keep_pictures", false);
    tuning.gate = fields.Flag("gate", true);
    tuning.refresh_s = fields.Number("refresh_s", 60, kMinRefreshS, kMaxRefreshS);
    tuning.fps = fields.Number("fps", 1, 0.01, 60);
  });
  if (!read) return false;
  // What was shown without its password and comes back is the source that was there.
  if (!stored.empty() && camera->source == net::RedactUrl(stored)) camera->source = stored;
  Status status = CheckCameraSource(camera->source, options_.pull);
  camera->labels.clear();
  if (status.ok() && !labels.is_null()) {
    const Result<rules::Labels> parsed = rules::ParseLabels(labels);
    status = parsed.ok() ? Ok() : InvalidArgument("labels: " + parsed.status().message(), "field");
    if (parsed.ok()) camera->labels = LabelsToTexts(*parsed);
  }
  if (!status.ok()) return reply.Fail(status), false;
  camera->document =
      Json(Json::Object{{"gate", tuning.gate}, {"refresh_s", tuning.refresh_s}, {"fps", tuning.fps}}).Dump();
  return true;
}

void CamerasApi::Put(const Call& call, const Responder& reply, events::Camera camera, int status, std::string action) {
  events::WriteBatch batch;
  batch.emplace_back(AuditOf(call, std::move(action), camera.id));
  batch.emplace_back(events::Put<events::Camera>{camera});
  context_.store.Submit(std::move(batch), [this, reply, camera = std::move(camera),
                                           status](const Result<events::Receipt>& receipt) mutable {
    if (!receipt.ok()) return reply.Fail(receipt.status());
    camera.version = receipt->at(1).number;
    registry_.Refresh(camera.owner, [reply, camera, status](const Status& brought) {
      if (!brought.ok()) return reply.Fail(brought);
      reply.Send(RowAnswer(status, CameraJson(camera), camera.version));
    });
  });
}

void CamerasApi::Create(const Call& call, const Responder& reply) {
  const Time now = context_.clock.Now();
  events::Camera camera;
  camera.owner = call.owner;
  camera.id = events::NewId("cam_", now);
  camera.created = now;
  if (!Read(call, reply, &camera)) return;
  if (registry_.NumCamerasOf(call.owner) >= options_.max_cameras) {
    return reply.Fail(ResourceExhausted("an owner has at most " + std::to_string(options_.max_cameras) + " cameras",
                                        "limit_reached"));
  }
  if (const Status fits = registry_.CheckCamera(camera); !fits.ok()) return reply.Fail(fits);
  Put(call, reply, std::move(camera), 201, "camera.create");
}

void CamerasApi::Update(const Call& call, const Responder& reply) {
  Result<events::Camera> camera = context_.store.Get<events::Camera>(call.owner, call.Parameter(0));
  if (!camera.ok()) return reply.Fail(camera.status());
  if (const Status match = CheckIfMatch(*call.request, camera->version); !match.ok()) return reply.Fail(match);
  if (!Read(call, reply, &*camera)) return;
  if (const Status fits = registry_.CheckCamera(*camera); !fits.ok()) return reply.Fail(fits);
  Put(call, reply, *std::move(camera), 200, "camera.update");
}

void CamerasApi::Delete(const Call& call, const Responder& reply) {
  const Result<int64_t> version = VersionToDelete<events::Camera>(context_.store, call);
  if (!version.ok()) return reply.Fail(version.status());
  events::WriteBatch batch;
  batch.emplace_back(events::Delete<events::Camera>{call.owner, call.Parameter(0), *version});
  batch.emplace_back(AuditOf(call, "camera.delete", call.Parameter(0)));
  context_.store.Submit(std::move(batch), [this, reply, owner = call.owner](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return reply.Fail(receipt.status());
    registry_.Refresh(owner, [reply](const Status&) { reply.Send(NothingAnswer()); });
  });
}

}  // namespace pawsight::gateway
