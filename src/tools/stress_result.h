// tools/stress_result.h: what a stress test measured and what follows from it, as values, and their JSON: the file
// OUT/result.json that `pawsight stress` writes and `pawsight cost` reads, and one cell a line of OUT/cells.jsonl. Not
// here: measuring (tools/load_run.h), deciding (tools/recommendation.h). Pure; thread-compatible.
//
// Words. A frame is one request: one image and all its questions. An answer is one question of one frame, answered. A
// cell is one measurement: so many server threads, and so many clients (closed loop) or frames a second (open loop).
// Latency is counted from when a frame was due: in a closed loop when its client sent it, in an open loop when it
// should have been sent, so that a stalled server is not forgiven what it kept from being sent (coordinated omission).
// Of frames that were refused or failed the latency is not in it. Times are in milliseconds and carry `_ms`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight::tools {

/// What a cell was measured for.
enum class CellRole : uint8_t {
  kGrid,           // closed loop: a cell of the grid
  kOpen,           // open loop at a rate that was asked for
  kCheckCap,       // closed loop at the recommended cap: does the objective hold?
  kCheckOverload,  // open loop at twice the rate answered at the knee: does shedding keep it for what is accepted?
};
/// "grid", "open", "check_cap", "check_overload".
std::string_view CellRoleName(CellRole role);

/// A percentile and the interval that holds the true one with 95 % confidence, by order statistics.
struct Percentile {
  double ms = 0;
  double low_ms = 0;
  double high_ms = 0;
};

struct LatencySummary {
  int64_t count = 0;
  double mean_ms = 0;
  Percentile p50, p90, p99, p99_9;
  double max_ms = 0;
};

/// Where the time of answered frames went, by the server's own statistics: means of a frame.
struct ServerTimes {
  double queue_ms = 0;    // from its arrival until its batch began
  double compute_ms = 0;  // decoding the image, the model, writing the answer
};

struct StressCell {
  CellRole role = CellRole::kGrid;
  int server = 0;                        // server threads: forward passes at once; 0: not ours to set
  int clients = 0;                       // of a closed loop; 0: open
  double rate_per_s = 0;                 // of an open loop: frames a second that were due; 0: closed
  std::string arrivals;                  // of an open loop: "poisson" and so on
  double seconds = 0;                    // measured, without the warm-up
  int64_t offered = 0;                   // frames sent, or due, in that time
  int64_t answered = 0;                  // an open loop's: of these; a closed loop's: in that time, whenever sent
  int64_t answers = 0;                   // questions of these
  std::map<std::string, int64_t> gated;  // of a gateway as cameras use it: not asked about, by its reason; "unchanged"
  std::map<std::string, int64_t> refused;  // shed unexecuted, by reason; "queue_full"
  std::map<std::string, int64_t> failed;   // all else, by reason; "deadline_exceeded"
  std::map<std::string, int64_t> unseen;   // the load missed what became of it, by reason; "dropped"
  double frames_per_s = 0;                 // answered
  double answers_per_s = 0;
  LatencySummary latency;                   // of answered frames
  double refused_p99_ms = 0;                // how long a refusal took; 0: none
  std::optional<ServerTimes> server_times;  // where the server tells
  double client_cores = 0;                  // processor time of the load itself, by seconds
  std::optional<double> server_cores;       // of the server, where it can be seen
  std::optional<double> server_rss_mb;      // resident memory at the end, 1e6 bytes
  double machine_busy = 0;                  // share of all cores of this machine that was in use, 0..1
  double late_p99_ms = 0;                   // open loop: how much later than due frames were sent
  std::map<std::string, int64_t> outcomes;  // of a gateway: frames x rules by its reasons; "below_threshold"
  bool client_saturated = false;  // the load could not keep up: the numbers are the client's, not the server's
  bool gate_limited = false;      // of a gateway: the change gate decided how much was asked (tools/cell_run.h)

  int64_t num_gated() const;
  int64_t num_refused() const;
  int64_t num_failed() const;
  int64_t num_unseen() const;
  /// Of the frames that were sent or due in the measured time and asked about, the share that was answered, whenever
  /// they ended. In an open loop a frame that was refused is lost: the camera sends its next one. In a closed loop it
  /// is the load's own next try that comes, 5 ms later, so a refusal is counted neither way. 0 when there were none.
  double answered_share() const;
};

/// The objective that a cap must keep.
struct Slo {
  double quantile = 0.99;  // 0.5, 0.9, 0.99, 0.999
  double latency_ms = 150;
};

/// Gunther's universal scalability law, X(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1)), as fitted to the grid
/// cells of one server-thread count (tools/scaling_law.h).
struct LawFit {
  int server = 0;
  double lambda = 0;        // frames a second of one client
  double sigma = 0;         // contention
  double kappa = 0;         // coherence
  double r2 = 0;            // of the fit
  double peak_clients = 0;  // where it says that throughput is highest; 0: it never falls
  double peak_per_s = 0;
};

/// One instance, operated as advised.
struct Recommendation {
  int server = 0;                 // server threads
  int cap = 0;                    // requests in flight at once
  double frames_per_s = 0;        // measured there
  double safe_per_s = 0;          // frames a second at which the objective holds, with room: the autoscaling target
  double latency_ms = 0;          // the objective's percentile there
  bool slo_kept = false;          // false: no cell keeps the objective; the cap is where it is missed least
  std::string why;                // a sentence
  std::optional<bool> cap_holds;  // the check at the cap; absent: not made
  std::optional<bool> overload_holds;              // the check at twice the load
  std::optional<bool> cap_set;                     // the checks' server had the cap; absent: none were made
  std::optional<double> price_per_million_frames;  // with a price: $ at safe_per_s
  std::optional<double> price_per_million_answers;
};

struct StressTarget {
  std::string kind;  // "model": workers were started; "worker": one that was there; "gateway"
  std::string name;  // the model, or the address
  std::string protocol = "http";
  std::string precision;  // "" when not known
  std::string path;       // of a gateway: "camera", frames are posted and answers read from the live stream, which the
                          // change gate is part of; "wait", each is posted with ?wait=answers, which asks about all
};

struct StressLoad {
  std::string frames;           // "scenes", or the folder's name
  int64_t distinct_frames = 0;  // different images
  double frame_bytes = 0;       // of one, mean
  int questions_a_frame = 0;
  double warmup_s = 0;
  double duration_s = 0;  // of a cell
  uint64_t seed = 0;
  int cameras = 0;  // of a gateway: how many send
};

struct StressMachine {
  std::string processor;
  int cores = 0;
};

struct StressResult {
  std::string made_at;  // RFC 3339
  std::string version;  // of pawsight
  StressTarget target;
  StressLoad load;
  StressMachine machine;  // where the load ran; a "model" target's workers too
  Slo slo;
  std::optional<double> price_per_hour;  // $ of an instance
  bool complete = false;                 // false: interrupted, some cells are missing
  std::vector<StressCell> cells;
  std::vector<LawFit> laws;                      // one a server-thread count with enough cells
  std::optional<Recommendation> recommendation;  // absent: no cell has an answer
};

Json CellToJson(const StressCell& cell);
/// Errors: kInvalidArgument, naming the field: missing, of another type, out of range, or not one of this version.
Result<StressCell> CellFromJson(const Json& json);

/// {"format":"pawsight-stress","format_version":1,...}; docs/formats/stress-result.md has every field.
Json ResultToJson(const StressResult& result);
/// Errors: as CellFromJson; kInvalidArgument also for another format or a later version of it.
Result<StressResult> ResultFromJson(const Json& json);
/// A result file of at most 16 MiB and 100,000 cells. Errors: those of ReadTextFile and ResultFromJson.
Result<StressResult> ReadResult(const std::string& path);

}  // namespace pawsight::tools
