#include "apps/home.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <map>
#include <utility>

#include "events/ids.h"
#include "gateway/api/owners.h"
#include "notify/receiver_config.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDrainLimit{1000};

GatewayOptions OptionsOf(const HomeOptions& home, const std::string& scratch) {
  GatewayOptions options;
  if (!home.listen.empty()) options.listen = home.listen;
  options.data = scratch;
  options.model = home.model.model;
  options.artifacts = home.model.artifacts;
  options.precision = home.model.precision;
  options.cpu = home.model.kernels;
  options.threads = home.model.threads;
  options.answer_within = home.answer_within;
  options.pull_cameras = home.pulls;
  options.drain_limit = kDrainLimit;
  return options;
}

}  // namespace

Result<std::unique_ptr<Home>> Home::Open(const HomeOptions& options) {
  std::unique_ptr<Home> home(new Home());
  if (home->scratch_.path().empty()) {
    return FailedPrecondition("no temporary directory can be made: set TMPDIR to one that can be written");
  }
  PAWSIGHT_RETURN_IF_ERROR(home->Start(options));
  return home;
}

Status Home::Start(const HomeOptions& options) {
  GatewayOptions how = OptionsOf(options, scratch_.path());
  notify::PostOfficeOptions receivers;
  if (options.tells_loopback) receivers.allowed_networks = {"127.0.0.0/8"};
  receivers.allow_plain = options.tells_loopback;
  const GatewayExtras extras{.lasts = false,
                             .serves = !options.listen.empty(),
                             .frame_clock = &frame_clock_,
                             .names = &names_,
                             .events = options.events};
  service_ = std::make_unique<GatewayService>(how, receivers, extras);
  Status started = service_->Start();
  if (started.code() == StatusCode::kUnavailable && !options.instead.empty()) {
    service_.reset();  // lets the directory go
    how.listen = options.instead;
    how.new_admin = true;
    service_ = std::make_unique<GatewayService>(how, receivers, extras);
    started = service_->Start();
  }
  return started;
}

Home::~Home() = default;

Status Home::Furnish(const std::string& name, std::vector<events::Camera>* cameras,
                     const std::vector<rules::Rule>& rules) {
  const Time now = SystemClock().Now();
  owner_ = events::NewId("own_", now);
  events::WriteBatch batch;
  events::Owner owner;
  owner.id = owner_;
  owner.name = name;
  batch.emplace_back(events::Put<events::Owner>{owner});
  batch.emplace_back(
      events::Put<events::Credential>{gateway::MakeCredential(events::Role::kOperator, owner_, name, now, &token_)});
  milliseconds later{0};  // lists are in the order of ids
  std::map<std::string, std::string> ids;
  for (events::Camera& camera : *cameras) {
    camera.owner = owner_;
    camera.id = events::NewId("cam_", now + later++);
    ids[camera.name] = camera.id;
    batch.emplace_back(events::Put<events::Camera>{camera});
  }
  for (rules::Rule rule : rules) {
    events::Rule row;
    row.owner = owner_;
    row.id = events::NewId("rul_", now + later++);
    row.enabled = rule.enabled;
    names_.SetWord(row.id, rule.id);
    rule.id = row.id;
    rule.receivers.clear();  // there are none yet
    for (std::string& camera : rule.cameras.ids) {
      if (const auto id = ids.find(camera); id != ids.end()) camera = id->second;
    }
    row.document = rules::RuleToJson(rule).Dump();
    batch.emplace_back(events::Put<events::Rule>{row});
  }
  return Commit(std::move(batch));
}

Status Home::Commit(events::WriteBatch batch) {
  PAWSIGHT_RETURN_IF_ERROR(service_->store().Write(std::move(batch)).status());
  const auto brought = std::make_shared<std::promise<Status>>();
  std::future<Status> done = brought->get_future();
  service_->registry().Refresh(owner_, [brought](const Status& status) { brought->set_value(status); });
  return done.get();
}

Status Home::AddWebhook(const std::string& name, const std::string& url, const std::string& secret) {
  const Json document(Json::Object{{"kind", "webhook"}, {"url", url}, {"secrets", Json::Array{Json(secret)}}});
  const notify::SplitDocument split = notify::SplitSecrets(document);
  events::Receiver receiver;
  receiver.owner = owner_;
  receiver.id = events::NewId("rcv_", SystemClock().Now());
  receiver.kind = "webhook";
  receiver.name = name;
  receiver.document = split.open.Dump();
  PAWSIGHT_ASSIGN_OR_RETURN(receiver.secret,
                            service_->receiver_keys().Seal({receiver.owner, receiver.id}, split.secret.Dump()));
  events::WriteBatch batch;
  batch.emplace_back(events::Put<events::Receiver>{std::move(receiver)});
  return Commit(std::move(batch));
}

Status Home::Tell(const gateway::LinesOptions& options) {
  lines_ = std::make_shared<gateway::Lines>(stdout, options, names_, service_->events());
  return service_->path().observers().Subscribe(owner_, lines_).status();
}

void Home::SayWhere(std::FILE* out, const std::string& what) const {
  const std::string url = service_->url();
  std::fprintf(out, "%s at %s/#token=%s\nThe token behind the # opens %s/v1 too.\n", what.c_str(), url.c_str(),
               token_.c_str(), url.c_str());
  std::fflush(out);
}

bool Home::Close() { return service_->Drain(); }

void Home::Leave(int exit_code) {
  scratch_.Remove();
  std::fflush(nullptr);
  _exit(exit_code);
}

uint64_t Home::num_unrecorded() const {
  if (lines_ == nullptr || service_->events() == nullptr) return 0;
  const uint64_t told = lines_->counts().num_changes;
  return told - std::min(told, service_->events()->num_written());
}

}  // namespace pawsight
