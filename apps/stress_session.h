// apps/stress_session.h: one run of `pawsight stress`: the target made ready for each server-thread count, the cells in
// order, the checks, the files. Used by one thread.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/inference_client.h"
#include "client/io_thread.h"
#include "tools/cell_run.h"
#include "tools/gateway_target.h"
#include "tools/load_frames.h"
#include "tools/out_folder.h"
#include "tools/run_mark.h"
#include "tools/server_process.h"
#include "tools/stress_result.h"

namespace pawsight {

struct StressOptions {
  std::string target =
      "pawsight-mini";             // a worker's or gateway's address, pawsight-mini, random-base, or a model directory
  std::string precision = "int8";  // of workers started here
  std::string token;
  std::string metrics_url;  // of an address: where it tells its processor time and memory; "" is nowhere
  std::string metrics_token;
  int gateway_cameras = 0;    // 0: kWaitCameras or kPushCameras
  bool gateway_wait = false;  // frames are posted with ?wait=answers
  int server_pid = 0;         // of an address: whose processor time is the server's
  tools::Grid grid{{1, 2}, {1, 2, 4, 8, 16, 32}};
  std::vector<double> rates;  // of open loops
  tools::CellSettings cell;
  std::string frames = "scenes";
  std::vector<std::string> questions;
  tools::Slo slo;
  std::optional<double> price_per_hour;
  std::string out;  // "" is none
  bool check = true;
  bool apply = false;  // the advice is for a worker's settings, so a gateway is refused before anything is made there
  bool json = false;
};

class StressSession {
 public:
  StressSession(const StressOptions& options, std::stop_token stop) : options_(options), stop_(std::move(stop)) {}

  /// What was measured; `complete` is false when it was stopped or ended early. Tables go to standard output as cells
  /// end, unless JSON is wanted; progress to standard error. Errors, where no cell was measured: the target does not
  /// begin or answer; those of OutFolder and CellLog.
  Result<tools::StressResult> Run();
  /// Why Run gave less than was planned though nobody stopped it: one of its errors, once there were cells.
  /// kUnavailable, the server has gone.
  const Status& ended_early() const { return ended_early_; }

 private:
  Status Prepare();
  Status OpenLog();
  /// Makes ready what is to be sent to: a worker with so many server threads, started when it is not there, or what
  /// listens at the address.
  Status ServerWith(int server, const std::vector<std::string>& more);
  Status Connect(const std::string& address);
  /// Errors: it is not there or not ready, or would answer no frame: the token is not its own, it has no such model.
  Status CheckAnswers();
  /// After failures: whether they are all there will be. Errors: kUnavailable, the server is not there any more.
  Status CheckThere();
  Status ConnectHttp(const std::string& address);
  Status ConnectGateway(const std::string& address);
  /// How long this run takes at most, which what it makes at a gateway says to others.
  std::chrono::seconds Lease() const;
  /// Errors: kFailedPrecondition, a cell more might last longer than was said.
  Status CheckLease() const;
  /// Removes what was made at a gateway.
  void CleanUp();
  /// Of a gateway as cameras use it: so many more that the check's frames are asked about, not gated.
  Status HaveCamerasFor(const tools::CellPlan& plan);
  /// Errors: RunCell's; CheckThere's; the worker has ended.
  Result<tools::StressCell> MeasureCell(const tools::CellPlan& plan);
  Status Measure(const tools::CellPlan& plan, const std::vector<std::string>& more);
  Status Check();
  void Show(const tools::CellPlan& plan, double part);
  void Advise();

  const StressOptions& options_;
  const std::stop_token stop_;
  const SystemClock clock_;
  tools::StressResult result_;
  Status ended_early_;
  std::optional<tools::OutFolder> out_;
  std::string model_dir_;  // of workers started here; "" is an address
  std::optional<tools::LoadFrames> frames_;
  std::optional<tools::CellLog> log_;
  client::IoThread io_;
  std::unique_ptr<tools::WorkerProcess> worker_;
  std::vector<std::string> worker_arguments_;
  std::shared_ptr<client::InferenceClient> client_;
  std::optional<tools::RunJournal> journal_;
  std::unique_ptr<tools::GatewayTarget> gateway_;
  Time gateway_since_{};
  std::chrono::nanoseconds gateway_began_{0};
  tools::SendFrame send_;
  tools::ServerPlace place_;
  size_t num_cells_ = 0;
  size_t num_done_ = 0;
  bool only_known_ = false;  // it has ended early: what is kept is told with the rest, and nothing more is measured
};

}  // namespace pawsight
