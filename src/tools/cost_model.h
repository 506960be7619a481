// tools/cost_model.h: what a frame, an answer and a camera cost, from what an instance holds and what its hour costs,
// and why that is less than the baseline's: the same model in PyTorch on the same machine, one question a call, every
// frame. Not here: measuring what an instance holds (`pawsight stress`), what the gate saves (tools/gate_score.h). The
// gateway's own cost, disks and traffic are not in it. Pure but for ReadBaseline; values, thread-compatible.
//
// Words. Offered: a camera's frame came. Asked: the gate let it through to a worker. Answered: the worker answered it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight::tools {

/// A twelfth of a year of 365 days.
inline constexpr double kDaysAMonth = 365.0 / 12;
/// What an image costs, in questions: its encoder's 55.5 + 8.2 billion multiply-adds against 1.1 (gateway/path/plan.h).
inline constexpr double kImageInQuestions = 58;

struct CostInput {
  double price_per_hour = 0;             // US dollars of an instance, above 0
  double frames_per_s = 0;               // asked frames that an instance answers within its objective, above 0
  int questions_measured = 1;            // of each of these, 1..64
  int questions = 1;                     // of a frame here, 1..64
  double answered_share = 1;             // of asked frames, above 0..1
  double asked_share = 1;                // of offered frames, 0..1
  double frames_per_camera_day = 86400;  // offered, above 0
  double cameras = 100'000;              // of the fleet, 1..1e9
  double peak = 2;                       // the busiest hour's asked frames over the mean hour's, 1..24
};

struct CostFigures {
  double frames_per_s = 0;  // asked, of an instance, with this many questions each
  /// The measurement had another number of questions: frames_per_s is scaled by the arithmetic of both, an image as
  /// kImageInQuestions questions. An estimate; on the safe side for more questions, because up to about 19 the text
  /// side waits for its weights and not for arithmetic.
  bool scaled = false;
  double per_million_offered = 0;  // dollars, as are those below
  double per_million_asked = 0;
  double per_million_answered = 0;
  double per_million_answers = 0;    // an answer is one question of one answered frame
  double per_camera_month = 0;       // instances follow the load
  double per_camera_month_peak = 0;  // as many as the busiest hour wants, day and night
  double fleet_per_s = 0;            // asked frames of all cameras, mean
  int64_t instances_mean = 0;        // for that, at least 1
  int64_t instances_peak = 0;        // for the busiest hour
};

/// Errors: kInvalidArgument, a value outside its range, by its name.
Result<CostFigures> ComputeCost(const CostInput& input);

/// The stated baseline and ours beside it, measured in turns on one machine by bench/peers/baseline.py.
struct Baseline {
  std::string what;        // "PyTorch 1.13.1, bfloat16, one question a call"
  std::string model;       // "random-base"; "": not said
  std::string machine;     // processor and threads
  std::string made_at;     // RFC 3339
  double calls_per_s = 0;  // of the baseline, a frame and one question each
  /// Ours in the same passes: frames a second with so many questions each.
  struct Pass {
    int questions = 0;
    double frames_per_s = 0;
  };
  std::vector<Pass> ours;
  std::string ours_precision;  // of these: "int8"; "": not said
  /// Ours with one question in the precision that theirs has; absent: not measured.
  struct SamePrecision {
    std::string precision;  // "bf16"
    double frames_per_s = 0;
  };
  std::optional<SamePrecision> same;
};

/// How many times more the baseline costs, and of what that is the product:
/// engine: one frame and one question, theirs against ours; of that, where it was measured, same_precision: theirs
/// against ours in the same precision, and precision: that against ours as it is; sharing: that many calls of one
/// question against one of all questions; gating: all frames against those asked. Their logarithms add up to the
/// whole's.
struct Saving {
  double engine = 1, sharing = 1, gating = 1;
  std::optional<double> same_precision, precision;  // both or none; their product is `engine`
  double whole = 1;
  CostFigures baseline;  // its figures, with the room to spare that ours has
};

/// The baseline is given what ours has: the same instance, the same headroom (what is asked of an instance against what
/// its passes hold), the same questions. Errors: those of ComputeCost; kInvalidArgument, ours was not measured with 1
/// and with `questions` questions.
Result<Saving> ComputeSaving(const CostInput& input, const Baseline& baseline);

/// {"format":"pawsight-baseline","format_version":1,"what","model"?,"machine","made_at","calls_per_s","ours":[{"questions",
/// "frames_per_s"}],"ours_precision"?,"ours_same_precision"?:{"precision","frames_per_s"}}; other members are passed
/// over. Errors: kInvalidArgument naming the field.
Result<Baseline> BaselineFromJson(const Json& json);
/// A file of at most 1 MiB. Errors: those of ReadTextFile and BaselineFromJson, with the path.
Result<Baseline> ReadBaseline(const std::string& path);

Json FiguresToJson(const CostFigures& figures);
/// {"engine","same_precision":number|null,"precision":number|null,"sharing","gating","whole","baseline":{FIGURES}}
Json SavingToJson(const Saving& saving);

}  // namespace pawsight::tools
