// apps/stress.cc: `pawsight stress`: what one instance holds: the grid of server threads and clients with real frames,
// the knee, and advice.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/serving.h"
#include "apps/stress_session.h"
#include "base/files.h"
#include "base/options.h"
#include "tools/recommendation.h"
#include "tools/settings_file.h"
#include "tools/stress_report.h"
#include "tools/stress_table.h"

namespace pawsight {
namespace {

constexpr const char* kFooter = R"(Examples:
  pawsight stress                                             pawsight-mini, workers started here
  pawsight stress random-base --grid "server=1,2 client=1,2,4" --slo p99=500ms --duration 30s --out base
  pawsight stress http://10.0.0.7:8000 --grid client=1,4,16,64 --price-per-hour 0.34 --out report --json
  pawsight stress grpc://10.0.0.7:8001 --open-loop 5,10,20 --arrivals motion
  pawsight stress http://10.0.0.8:8080 --token-file admin.token --grid client=1,8,64     a gateway and all behind it
  pawsight stress --out report --apply worker.yaml            writes the cap into the worker's settings

TARGET is the address of a worker (http, https, grpc, grpcs) or of a gateway (http, https), which is found out by asking,
or a model: pawsight-mini, random-base or a directory, for which workers are started with each number of server threads
(forward passes at once; the cores are shared among them). At a gateway, which wants an admin's token, an owner with
cameras and a rule a question is made and removed again, also what a killed run left. Frames are posted as cameras do and
what becomes of them is read from the live stream; what the change gate holds back is counted as gated, with its reason.
--wait posts each with ?wait=answers instead, which asks about all. Its cap is not ours to set, nor is a worker's behind an
address.
Frames are JPEG files of virtual cameras, no two of the same bytes. In a closed loop each client sends when it is
answered; in an open loop frames come when they are due and latency counts from then. --arrivals: constant, poisson,
burst, motion (pet cameras: long quiet, then a bout of a frame a second) or replay (--replay FILE, a time in seconds a
line). The advice is confirmed by a check at the cap and one at twice the load (--no-check leaves them out).
--out DIR: report.html, result.json, cells.csv, cells.jsonl; the same command again goes on where it was stopped. Ctrl-C keeps what
was measured and ends with 130. "client!" marks a cell whose numbers are the load's limit, not the server's, "gate!" one
whose throughput is what a gateway's change gate let through.
A server that goes away ends it: what was measured is kept and told.
Exit codes: 1, the objective is not kept, or a check does not hold; 4, the target does not answer, or no longer. How to read it: docs/capacity.md.)";

struct StressCommand {
  StressOptions options;
  std::string grid;
  std::string slo = "p99=150ms";
  std::string arrivals = "poisson";
  std::string replay_path;
  std::string questions_path;
  std::string token_path;
  std::string metrics_token_path;
  std::string apply;
  std::string warmup = "2s";
  std::string duration = "10s";
  std::string timeout = "10s";
};

Status ReadTime(const std::string& text, const char* flag, std::chrono::nanoseconds least,
                std::chrono::nanoseconds* time) {
  if (Status read = ReadOption(text, time); !read.ok()) return Annotate(read, flag);
  if (*time < least || *time > std::chrono::hours(1)) {
    return InvalidArgument(std::string(flag) + ": want " + PrintOption(least) + " to 1h");
  }
  return Ok();
}

/// That every open loop can be made, before anything is measured.
Status CheckRates(const StressOptions& options) {
  const double seconds = std::chrono::duration<double>(options.cell.warmup + options.cell.duration).count();
  for (const double rate : options.rates) {
    if (!(rate >= 0.01 && rate <= 1e5)) return InvalidArgument("--open-loop: want 0.01 to 100000 frames a second");
    if (rate * seconds > static_cast<double>(tools::kMaxArrivals) / 2) {
      return InvalidArgument("--open-loop: " + PrintOption(rate) + " a second for so long are more than " +
                             std::to_string(tools::kMaxArrivals / 2) + " frames; want a lower rate or --duration");
    }
  }
  return Ok();
}

Status ReadReplay(const StressCommand& command, StressOptions* options) {
  if ((options->cell.arrivals == tools::ArrivalKind::kReplay) == command.replay_path.empty()) {
    return InvalidArgument("--arrivals replay and --replay FILE go together");
  }
  if (command.replay_path.empty()) return Ok();
  auto text = ReadTextFile(command.replay_path, 256U << 20U);
  if (!text.ok()) return Annotate(text.status(), "--replay");
  options->cell.replay = std::move(text).value();
  const auto length = options->cell.warmup + options->cell.duration;
  const auto times = tools::ReplayArrivals(options->cell.replay, length);
  if (!times.ok()) return Annotate(times.status(), "--replay");
  if (times->empty()) {
    return InvalidArgument("--replay: no frame is due in the first " + PrintOption(length) +
                           ", warm-up and --duration");
  }
  options->rates = {static_cast<double>(times->size()) / std::chrono::duration<double>(length).count()};
  return Ok();
}

Status ReadQuestionFile(const std::string& path, StressOptions* options) {
  options->questions = tools::DefaultQuestions();
  if (path.empty()) return Ok();
  const auto text = ReadTextFile(path, 1U << 20U);
  if (!text.ok()) return Annotate(text.status(), "--questions");
  auto questions = tools::ParseQuestions(*text);
  if (!questions.ok()) return Annotate(questions.status(), "--questions");
  options->questions = std::move(questions).value();
  return Ok();
}

Status ReadTokenFile(const std::string& path, const char* flag, std::string* secret) {
  auto read = ReadSecret(path);
  if (!read.ok()) return Annotate(read.status(), flag);
  *secret = std::move(read).value();
  return Ok();
}

/// That the settings can be written once there is advice, which may be in an hour.
Status CheckApply(const std::string& path) {
  if (path.empty()) return Ok();
  std::string text;
  if (FileExists(path)) {
    auto read = ReadTextFile(path, 1U << 20U);
    if (!read.ok()) return Annotate(read.status(), "--apply");
    text = std::move(read).value();
  } else if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty() && !IsDirectory(folder)) {
    return NotFound("--apply: " + folder.string() + ": no such folder");
  }
  const auto edited = tools::EditSettings(text, tools::WorkerSettings({.server = 1, .cap = 1}));
  return edited.ok() ? Ok() : Annotate(Annotate(edited.status(), path), "--apply");
}

/// Text to values; what can be known to fail does so here and not after an hour.
Status ReadFlags(StressCommand* command) {
  StressOptions& options = command->options;
  auto grid = tools::ParseGrid(command->grid, options.grid);
  if (!grid.ok()) return Annotate(grid.status(), "--grid");
  options.grid = *grid;
  auto slo = tools::ParseSlo(command->slo);
  if (!slo.ok()) return Annotate(slo.status(), "--slo");
  options.slo = *slo;
  const auto arrivals = tools::ParseArrival(command->arrivals);
  if (!arrivals.ok()) return Annotate(arrivals.status(), "--arrivals");
  options.cell.arrivals = *arrivals;
  using std::chrono::milliseconds;
  PAWSIGHT_RETURN_IF_ERROR(ReadTime(command->warmup, "--warmup", milliseconds(0), &options.cell.warmup));
  PAWSIGHT_RETURN_IF_ERROR(ReadTime(command->duration, "--duration", milliseconds(100), &options.cell.duration));
  PAWSIGHT_RETURN_IF_ERROR(ReadTime(command->timeout, "--timeout", milliseconds(1), &options.cell.timeout));
  if (options.price_per_hour && !(*options.price_per_hour > 0 && *options.price_per_hour <= 1e6)) {
    return InvalidArgument("--price-per-hour: want $, above 0 and at most 1000000");
  }
  if (options.server_pid > 0 && kill(options.server_pid, 0) != 0 && errno == ESRCH) {
    return InvalidArgument("--server-pid: no such process on this machine");
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckRates(options));
  PAWSIGHT_RETURN_IF_ERROR(ReadReplay(*command, &options));
  PAWSIGHT_RETURN_IF_ERROR(ReadQuestionFile(command->questions_path, &options));
  PAWSIGHT_RETURN_IF_ERROR(ReadTokenFile(command->token_path, "--token-file", &options.token));
  PAWSIGHT_RETURN_IF_ERROR(ReadTokenFile(command->metrics_token_path, "--metrics-token-file", &options.metrics_token));
  options.apply = !command->apply.empty();
  return CheckApply(command->apply);
}

Status WriteFiles(const std::string& out, const tools::StressResult& result) {
  if (out.empty() || result.cells.empty()) return Ok();  // what stands there may be a whole report
  PAWSIGHT_RETURN_IF_ERROR(WriteFileAtomically(out + "/result.json", tools::ResultToJson(result).Dump() + "\n"));
  PAWSIGHT_RETURN_IF_ERROR(WriteFileAtomically(out + "/report.html", tools::StressReport(result)));
  return WriteFileAtomically(out + "/cells.csv", tools::CellsCsv(result));
}

/// The objective is kept, and every check that was made says so.
bool Holds(const tools::StressResult& result) {
  const auto& advice = result.recommendation;
  return advice && advice->slo_kept && advice->cap_holds.value_or(true) && advice->overload_holds.value_or(true) &&
         !tools::SaysNothing(result, tools::CellRole::kCheckCap) &&
         !tools::SaysNothing(result, tools::CellRole::kCheckOverload);
}

Status Apply(const std::string& path, const tools::StressResult& result) {
  if (path.empty()) return Ok();
  if (!result.recommendation) return FailedPrecondition("--apply: there is no advice");
  if (!Holds(result)) return FailedPrecondition("--apply: the advice does not hold, so " + path + " is as it was");
  std::string text;
  if (FileExists(path)) {
    PAWSIGHT_ASSIGN_OR_RETURN(text, ReadTextFile(path, 1U << 20U));
  }
  auto edited = tools::EditSettings(text, tools::WorkerSettings(*result.recommendation));
  if (!edited.ok()) return Annotate(edited.status(), path);
  PAWSIGHT_RETURN_IF_ERROR(WriteFileAtomically(path, *edited));
  std::fprintf(stderr, "pawsight: %s has the cap\n", path.c_str());
  return Ok();
}

int RunStress(StressCommand& command) {
  if (const Status read = ReadFlags(&command); !read.ok()) return ReportError(read);
  const Interrupt interrupt;
  (void)AllowDescriptors();  // what does not fit waits or is refused
  const StressOptions& options = command.options;
  StressSession session(options, interrupt.token());
  const auto result = session.Run();
  if (!result.ok()) return ReportError(result.status());
  std::puts(options.json ? tools::ResultToJson(*result).Dump().c_str() : ("\n" + tools::Advice(*result)).c_str());
  std::fflush(stdout);  // whatever becomes of the files
  const Status written = WriteFiles(options.out, *result);
  const int unwritten = written.ok() ? kExitOk : ReportEnvironmentError(Annotate(written, "--out"));
  if (interrupt.interrupted()) return kExitInterrupted;
  if (const Status& early = session.ended_early(); !early.ok()) {
    const int exit_code = ReportError(early);
    if (!options.out.empty())
      std::fputs("pawsight: the same command goes on with the cells that are missing\n", stderr);
    return exit_code;
  }
  if (!written.ok()) return unwritten;
  if (const Status applied = Apply(command.apply, *result); !applied.ok()) return ReportError(applied), kExitFailed;
  return Holds(*result) ? kExitOk : kExitFailed;
}

}  // namespace

void AddStressCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<StressCommand>();
  StressOptions& options = command->options;
  CLI::App& stress =
      *program.add_subcommand("stress", "what one instance holds: latency, throughput, the knee, advice");
  stress.footer(kFooter);
  stress.add_option("target", options.target, "a worker's or gateway's address, or a model")->capture_default_str();
  stress.add_option("--grid", command->grid, "server=LIST client=LIST [server=1,2 client=1,2,4,8,16,32]");
  stress.add_option("--open-loop", options.rates, "frames a second of open loops; a list")
      ->delimiter(',')
      ->allow_extra_args(false);
  stress.add_option("--arrivals", command->arrivals, "of open loops")->capture_default_str();
  stress.add_option("--replay", command->replay_path, "file of times for --arrivals replay");
  stress.add_option("--frames", options.frames, "scenes, or a folder of JPEG and PNG files")->capture_default_str();
  stress.add_option("--questions", command->questions_path, "file of questions, one a line [three of pets]");
  stress.add_option("--duration", command->duration, "of a cell")->capture_default_str();
  stress.add_option("--warmup", command->warmup, "before it")->capture_default_str();
  stress.add_option("--timeout", command->timeout, "of a frame; then it has failed")->capture_default_str();
  stress.add_option("--slo", command->slo, "p50, p90, p99 or p99.9 and a time")->capture_default_str();
  stress.add_option("--price-per-hour", options.price_per_hour, "$ of an instance");
  stress.add_option("--precision", options.precision, "of workers started here")
      ->capture_default_str()
      ->check(CLI::IsMember({"fp32", "bf16", "int8"}));
  stress.add_option("--token-file", command->token_path, "bearer token of the target; of a gateway an admin's");
  stress.add_option("--metrics", options.metrics_url,
                    "of an address: URL of its metrics, for its processor time and memory [a gateway's own]");
  stress.add_option("--metrics-token-file", command->metrics_token_path, "bearer token of --metrics");
  stress
      .add_option("--cameras", options.gateway_cameras,
                  "of a gateway: how many send; at least one a client [512; with --wait 64]")
      ->check(CLI::Range(1, 10000));
  stress.add_flag("--wait", options.gateway_wait, "at a gateway: post each frame with ?wait=answers");
  stress.add_option("--server-pid", options.server_pid, "of an address on this machine: whose processor time to read")
      ->check(CLI::Range(1, 1 << 30));
  stress.add_option("--seed", options.cell.seed, "of frames and arrivals")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 9e15));  // a number of JSON
  stress.add_option("--out", options.out,
                    "folder for report.html, result.json, cells.csv and what a stopped run goes on from");
  stress.add_option("--apply", command->apply, "worker's settings file: writes teams and request-limit");
  stress.add_flag("--check,!--no-check", options.check, "the two checks of the advice [on]");
  stress.add_flag("--json", options.json, "the result as one JSON object, instead of tables");
  stress.callback([command, exit_code] { *exit_code = RunStress(*command); });
}

}  // namespace pawsight
