#include "apps/stress_session.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <future>
#include <thread>

#include "apps/open_model.h"
#include "apps/random_base.h"
#include "base/files.h"
#include "client/http_client.h"
#include "net/http_client.h"
#include "rpc/grpc_client.h"
#include "tools/recommendation.h"
#include "tools/server_view.h"
#include "tools/settings_file.h"
#include "tools/stress_table.h"

namespace pawsight {
namespace {

constexpr int kDrawnFrames = 32;
constexpr size_t kMaxCalls = 4096;
constexpr int kWaitCameras = 64;
// The gate asks about a picture that goes on changing once in two seconds, so it takes many to load what is behind it.
constexpr int kPushCameras = 512;

bool IsAddress(const std::string& target) { return target.find("://") != std::string::npos; }
bool IsGrpc(const std::string& address) { return address.starts_with("grpc://") || address.starts_with("grpcs://"); }

/// Whether the server is gone: not even a connection, or one that broke. Any word of its own, or of a proxy before it,
/// says that something is there.
bool IsGone(const Status& ready) {
  return ready.code() == StatusCode::kUnavailable &&
         (ready.reason() == "connect_failed" || ready.reason() == "connection_broken");
}

/// A file of ours that cannot be had or written is not the target's fault.
Status OutError(const Status& file) { return file.ok() ? file : FailedPrecondition("--out: " + file.message()); }

/// Whether the server says that it is ready; one that says not yet is asked again for ten seconds.
Status AwaitReady(client::InferenceClient& server) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (true) {
    const auto told = std::make_shared<std::promise<Status>>();
    server.CheckReady(give_up, [told](Status ready) { told->set_value(std::move(ready)); });
    Status ready = told->get_future().get();
    const bool not_yet = ready.code() == StatusCode::kUnavailable && !IsGone(ready);
    if (!not_yet || std::chrono::steady_clock::now() >= give_up) return ready;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

/// Writes a line over on a terminal's standard error.
void Say(const std::string& text) {
  if (isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r\033[K%s", text.c_str());
}

}  // namespace

Status StressSession::Prepare() {
  result_.made_at = FormatTime(clock_.Now());
  result_.version = PAWSIGHT_VERSION;
  result_.slo = options_.slo;
  result_.price_per_hour = options_.price_per_hour;
  result_.machine = {tools::ProcessorName(), std::max(1, static_cast<int>(std::thread::hardware_concurrency()))};
  const bool address = IsAddress(options_.target);
  result_.target = {address ? "worker" : "model", options_.target, address && IsGrpc(options_.target) ? "grpc" : "http",
                    address ? "" : options_.precision};
  if (options_.target == "pawsight-mini") {
    PAWSIGHT_ASSIGN_OR_RETURN(model_dir_, DefaultModelDir());
  } else if (options_.target == "random-base") {
    PAWSIGHT_ASSIGN_OR_RETURN(model_dir_, RandomBaseModel([&](double part) {
                                Say("writing a model of random weights, " + std::to_string(int(100 * part)) + " %");
                                return !stop_.stop_requested();
                              }));
  } else if (!address) {
    if (!IsDirectory(options_.target)) return NotFound(options_.target + ": neither an address nor a model directory");
    model_dir_ = options_.target;
  }
  const uint64_t seed = options_.cell.seed;
  if (options_.frames == "scenes") {
    Say("drawing frames");
    frames_ = tools::LoadFrames::Draw(seed, kDrawnFrames, options_.questions);
  } else {
    auto frames = tools::LoadFrames::Read(options_.frames, options_.questions);
    if (!frames.ok()) return Annotate(frames.status(), "--frames");
    frames_ = std::move(frames).value();
  }
  result_.load = {.frames = options_.frames,
                  .distinct_frames = frames_->count(),
                  .frame_bytes = frames_->mean_bytes(),
                  .questions_a_frame = frames_->num_questions(),
                  .warmup_s = static_cast<double>(options_.cell.warmup.count()) * 1e-9,
                  .duration_s = static_cast<double>(options_.cell.duration.count()) * 1e-9,
                  .seed = seed};
  if (!options_.out.empty()) {
    auto out = tools::OutFolder::Open(options_.out);
    if (!out.ok()) {
      const bool usage = out.status().code() == StatusCode::kInvalidArgument;
      return Status(usage ? StatusCode::kInvalidArgument : StatusCode::kFailedPrecondition,
                    "--out: " + out.status().message());
    }
    out_ = std::move(out).value();
  }
  if (model_dir_.empty()) PAWSIGHT_RETURN_IF_ERROR(ServerWith(0, {}));  // what it is, is asked before anything is told
  return OpenLog();
}

Status StressSession::OpenLog() {
  if (options_.out.empty()) return Ok();
  const tools::StressLoad& load = result_.load;
  Json mark(Json::Object{{"target", options_.target},
                         {"precision", result_.target.precision},
                         {"frames", load.frames},
                         {"frame_bytes", load.frame_bytes},
                         {"questions", Json::Array(options_.questions.begin(), options_.questions.end())},
                         {"warmup_s", load.warmup_s},
                         {"duration_s", load.duration_s},
                         {"seed", load.seed},
                         {"arrivals", tools::ArrivalName(options_.cell.arrivals)},
                         {"cores", result_.machine.cores}});
  if (gateway_) {
    mark.Set("path", result_.target.path);
    mark.Set("cameras", options_.gateway_cameras);
  }
  auto log = tools::CellLog::Open(options_.out + "/cells.jsonl", mark);
  if (!log.ok()) return OutError(log.status());
  log_ = std::move(log).value();
  if (!log_->found().empty()) {
    std::fprintf(stderr, "pawsight: going on; %zu cells of this plan are measured already\n", log_->found().size());
  }
  return Ok();
}

Status StressSession::Connect(const std::string& address) {
  send_ = nullptr;
  client_.reset();
  place_ = {};
  if (!options_.metrics_url.empty()) {
    const net::FetchOptions fetch{.total_timeout = std::chrono::seconds(2), .bearer = options_.metrics_token};
    place_.metrics = [url = options_.metrics_url, fetch]() -> Result<std::string> {
      PAWSIGHT_ASSIGN_OR_RETURN(const net::Fetched got, net::HttpClient().Get(url, fetch, {}));
      return std::string(got.body.begin(), got.body.end());
    };
    const Status told = place_.metrics().status();
    if (!told.ok()) return Annotate(told, "--metrics");
  }
  if (!IsGrpc(address)) {
    PAWSIGHT_RETURN_IF_ERROR(ConnectHttp(address));
  } else {
    rpc::GrpcClientOptions grpc;
    grpc.tls = address.starts_with("grpcs://");
    grpc.address = address.substr(address.find("://") + 3);
    grpc.token = options_.token;
    grpc.max_calls = kMaxCalls;
    PAWSIGHT_ASSIGN_OR_RETURN(client_, rpc::MakeGrpcClient(grpc));
  }
  if (!gateway_) send_ = tools::AskServer(*client_, [this](int64_t number) { return frames_->Request(number); });
  return Ok();
}

Status StressSession::ConnectHttp(const std::string& address) {
  client::HttpClientOptions http;
  http.url = address;
  http.token = options_.token;
  http.max_connections = kMaxCalls;
  http.max_bytes_in_flight = 1U << 30U;
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<client::HttpClient> client, client::HttpClient::Make(http, io_));
  PAWSIGHT_ASSIGN_OR_RETURN(const tools::ServerKind kind, tools::AskKind(*client));
  if (kind == tools::ServerKind::kGateway) return ConnectGateway(address);
  place_.stats = [client] { return tools::Fetch(*client, {.target = "/v2/models/vqa/stats"}); };
  client_ = std::move(client);
  return Ok();
}

Status StressSession::ConnectGateway(const std::string& address) {
  if (options_.apply) return InvalidArgument("--apply: the cap is a worker's setting, and this is a gateway");
  if (options_.token.empty()) {
    return Status(StatusCode::kUnauthenticated,
                  "a gateway: want --token-file with an admin's token (admin.token of its data directory)");
  }
  int cameras = options_.gateway_cameras;
  if (cameras == 0) cameras = options_.gateway_wait ? kWaitCameras : kPushCameras;
  for (const int clients : options_.grid.clients) cameras = std::max(cameras, clients);  // each has one to itself
  tools::GatewayTargetOptions target{.url = address,
                                     .token = options_.token,
                                     .cameras = cameras,
                                     .wait = options_.gateway_wait,
                                     .questions = options_.questions,
                                     .mark = tools::MarkThisRun(Lease())};
  if (!options_.out.empty()) {
    auto journal = tools::RunJournal::Open(options_.out + "/gateway.run");
    if (!journal.ok()) return OutError(journal.status());
    journal_ = std::move(journal).value();
    target.runs_that_are_over = journal_->left();
    PAWSIGHT_RETURN_IF_ERROR(OutError(journal_->Add(target.mark.run)));
  }
  gateway_since_ = clock_.Now();
  gateway_began_ = clock_.Monotonic();
  Say("making " + std::to_string(cameras) + " cameras");
  PAWSIGHT_ASSIGN_OR_RETURN(gateway_, tools::GatewayTarget::Make(target, *frames_, io_, stop_));
  Say("");
  if (const Result<int>& left = gateway_->leftovers(); !left.ok()) {
    std::fprintf(stderr, "pawsight: what runs that were killed left may be there still: %s\n",
                 left.status().message().c_str());
  } else if (*left > 0) {
    std::fprintf(stderr, "pawsight: removed what %d runs that were killed left there\n", *left);
  }
  result_.target.kind = "gateway";
  result_.target.path = options_.gateway_wait ? "wait" : "camera";
  result_.load.cameras = cameras;
  send_ = gateway_->Sender();
  if (!place_.metrics) place_.metrics = [this] { return gateway_->Metrics(); };
  return Ok();
}

/// Twice what is planned, and for a gateway that is slow to make and to erase ten minutes.
std::chrono::seconds StressSession::Lease() const {
  const auto cell = options_.cell.warmup + options_.cell.duration + options_.cell.timeout;
  const auto cells = static_cast<int64_t>(options_.grid.clients.size() + options_.rates.size() + 2);  // the checks
  return std::chrono::ceil<std::chrono::seconds>(2 * cells * cell) + std::chrono::minutes(10);
}

Status StressSession::CheckLease() const {
  if (!gateway_) return Ok();
  const auto cell = options_.cell.warmup + options_.cell.duration + options_.cell.timeout;
  const auto passed = std::max<std::chrono::nanoseconds>(clock_.Now() - gateway_since_,  // also while suspended
                                                         clock_.Monotonic() - gateway_began_);
  if (passed + cell <= Lease()) return Ok();
  return FailedPrecondition("took longer than the " + std::to_string(Lease().count()) +
                            " s after which another run may remove what this one has at the gateway");
}

void StressSession::CleanUp() {
  if (!gateway_) return;
  send_ = nullptr;
  place_ = {};
  Status removed = gateway_->Remove();
  if (removed.ok() && journal_ && gateway_->leftovers().ok()) {  // else they are still there
    removed = OutError(journal_->Clear());
  }
  if (!removed.ok()) std::fprintf(stderr, "pawsight: %s\n", removed.message().c_str());
  gateway_.reset();
}

Status StressSession::ServerWith(int server, const std::vector<std::string>& more) {
  if (model_dir_.empty()) {
    if (send_) return Ok();
    Status ready = Connect(options_.target);
    if (ready.ok()) ready = CheckAnswers();
    if (!ready.ok()) return Annotate(ready, options_.target);
    place_.pid = options_.server_pid;
    return Ok();
  }
  std::vector<std::string> arguments = {"--model",          model_dir_, "--precision",
                                        options_.precision, "--teams",  std::to_string(server)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  if (worker_ != nullptr && arguments == worker_arguments_) return Ok();
  Say("starting a worker with " + std::to_string(server) + " server threads");
  send_ = nullptr;
  place_ = {};
  client_.reset();
  worker_.reset();
  std::error_code error;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return FailedPrecondition("/proc/self/exe: " + error.message());
  PAWSIGHT_ASSIGN_OR_RETURN(worker_, tools::WorkerProcess::Start(self, arguments, stop_));
  worker_arguments_ = arguments;
  PAWSIGHT_RETURN_IF_ERROR(Connect(worker_->http_url()));
  place_.pid = worker_->pid();
  return Ok();
}

Status StressSession::CheckAnswers() {
  if (client_ == nullptr) return Ok();  // a gateway, whose token has made cameras
  Status status = AwaitReady(*client_);
  if (status.ok()) {
    const auto told = std::make_shared<std::promise<Status>>();
    const auto give_up = std::chrono::steady_clock::now() + options_.cell.timeout;
    (void)client_->Infer(frames_->Request(0), give_up,
                         [told](const client::InferResult& result) { told->set_value(result.response.status()); });
    status = told->get_future().get();
    // Too much to do, or too slow: that is what is to be measured.
    const bool busy = status.code() == StatusCode::kResourceExhausted ||
                      status.code() == StatusCode::kDeadlineExceeded ||
                      (status.code() == StatusCode::kUnavailable && !IsGone(status));
    if (busy) return Ok();
  }
  if (status.code() != StatusCode::kUnauthenticated && status.code() != StatusCode::kPermissionDenied) return status;
  return {status.code(), status.message() + "; want its token: --token-file", status.reason()};
}

Status StressSession::CheckThere() {
  Status there;
  if (worker_ != nullptr && worker_->ended()) {
    there = Unavailable("the worker that was started has ended: " + worker_->LastWords(), "connection_broken");
  } else if (gateway_) {
    there = gateway_->CheckThere();
  } else if (client_ != nullptr) {
    const auto told = std::make_shared<std::promise<Status>>();
    client_->CheckReady(std::chrono::steady_clock::now() + std::chrono::seconds(10),
                        [told](Status ready) { told->set_value(std::move(ready)); });
    there = told->get_future().get();
  }
  return IsGone(there) ? Annotate(there, "the server does not answer any more") : Ok();
}

Result<tools::StressCell> StressSession::MeasureCell(const tools::CellPlan& plan) {
  std::stop_source stop;
  const std::stop_callback chained(stop_, [&stop] { stop.request_stop(); });
  const auto on_progress = [&](double part) {
    Show(plan, part);
    if (worker_ != nullptr && worker_->ended()) stop.request_stop();  // the rest of the cell would be failures
  };
  Result<tools::StressCell> cell = tools::RunCell(send_, frames_->num_questions(), plan, options_.cell, place_, clock_,
                                                  stop.get_token(), on_progress);
  if (stop_.stop_requested()) return cell;
  if (!cell.ok() ||
      cell->num_failed() > 0) {  // what is no measurement of it is not kept, and is measured when it is back
    if (const Status there = CheckThere(); !there.ok()) return there;
  }
  return cell;
}

void StressSession::Show(const tools::CellPlan& plan, double part) {
  const double a_cell = result_.load.warmup_s + result_.load.duration_s;
  const double left = a_cell * (static_cast<double>(num_cells_ - num_done_) - part);
  char text[160];
  std::snprintf(text, sizeof text, "cell %zu of %zu: server %d, %s %g; %.0f s left", num_done_ + 1, num_cells_,
                plan.server, plan.clients > 0 ? "clients" : "frames/s",
                plan.clients > 0 ? plan.clients : plan.rate_per_s, left);
  Say(text);
}

Status StressSession::HaveCamerasFor(const tools::CellPlan& plan) {
  if (!gateway_ || options_.gateway_wait) return Ok();
  const int want = tools::CamerasFor(plan.rate_per_s, options_.slo);
  const auto more = want - static_cast<int>(gateway_->num_cameras());
  if (more <= 0) return Ok();
  Say("making " + std::to_string(more) + " more cameras, so that the change gate lets through " +
      std::to_string(static_cast<int>(plan.rate_per_s)) + " frames/s");
  Status made = gateway_->HaveCameras(want, stop_);
  Say("");
  if (made.ok() || made.code() != StatusCode::kResourceExhausted) return made;
  std::fprintf(stderr, "pawsight: the check at twice the load has fewer cameras than the %d it wants: %s\n", want,
               made.message().c_str());
  return Ok();  // the cell tells whether the gate was its limit
}

Status StressSession::Measure(const tools::CellPlan& plan, const std::vector<std::string>& more) {
  const tools::StressCell* known = log_ ? log_->Find(plan) : nullptr;
  tools::StressCell cell;
  if (known != nullptr) {
    cell = *known;
  } else {
    if (stop_.stop_requested() || only_known_) return Cancelled("stopped");
    PAWSIGHT_RETURN_IF_ERROR(ServerWith(plan.server, more));
    if (plan.role == tools::CellRole::kCheckOverload) PAWSIGHT_RETURN_IF_ERROR(HaveCamerasFor(plan));
    PAWSIGHT_RETURN_IF_ERROR(CheckLease());  // behind what may take long
    PAWSIGHT_ASSIGN_OR_RETURN(cell, MeasureCell(plan));
  }
  ++num_done_;
  result_.cells.push_back(cell);
  Say("");
  if (!options_.json) {
    std::fputs(tools::CellRow(cell).c_str(), stdout);
    std::fflush(stdout);
  }
  if (!log_ || known != nullptr) return Ok();
  const Status kept = log_->Append(cell);
  return OutError(kept);
}

void StressSession::Advise() {
  result_.laws = tools::FitLaws(result_.cells);
  result_.recommendation =
      tools::Recommend(result_.cells, options_.slo, options_.price_per_hour, result_.load.questions_a_frame);
}

Status StressSession::Check() {
  if (!options_.check || !result_.recommendation) return Ok();
  tools::Recommendation& advice = *result_.recommendation;
  std::vector<std::string> more;  // the worker as --apply would set it
  for (const auto& [name, value] : tools::WorkerSettings(advice)) {
    if (name != "teams") more.insert(more.end(), {"--" + name, value});
  }
  num_cells_ += 2;
  PAWSIGHT_RETURN_IF_ERROR(Measure({tools::CellRole::kCheckCap, advice.server, advice.cap, 0}, more));
  advice.cap_set = !model_dir_.empty();  // of an address the cap is not ours to set
  advice.cap_holds = tools::CheckHolds(result_.cells.back(), options_.slo);
  // Of the answered rate, whatever the gate held back at the knee. A round number, so that a run that goes on finds the
  // cell again.
  const double twice = std::max(0.1, std::round(20 * advice.frames_per_s) / 10);
  PAWSIGHT_RETURN_IF_ERROR(Measure({tools::CellRole::kCheckOverload, advice.server, 0, twice}, more));
  advice.overload_holds = tools::CheckHolds(result_.cells.back(), options_.slo);
  return Ok();
}

Result<tools::StressResult> StressSession::Run() {
  if (Status ready = Prepare(); !ready.ok()) {
    Say("");
    return ready;
  }
  const tools::Grid grid{model_dir_.empty() ? std::vector<int>{0} : options_.grid.server, options_.grid.clients};
  const std::vector<tools::CellPlan> plans = tools::PlanCells(grid, options_.rates);
  num_cells_ = plans.size();
  Say("");
  if (!options_.json) std::fputs(tools::CellHeading().c_str(), stdout);
  Status status;
  for (const tools::CellPlan& plan : plans) {
    const Status measured = Measure(plan, {});
    if (status.ok()) status = measured;
    only_known_ = !status.ok();
  }
  Advise();
  const Status checked = Check();
  if (status.ok()) status = checked;
  CleanUp();
  Say("");
  result_.complete = status.ok();
  if (!status.ok() && !stop_.stop_requested()) {
    if (result_.cells.empty()) return status;
    ended_early_ = status;
  }
  return result_;
}

}  // namespace pawsight
