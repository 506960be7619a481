// tools/stress_plan.h: which cells are measured in which order, and what of them is on disk already, so that a run that
// was stopped goes on. cells.jsonl: the plan's mark on the first line, then one finished cell a line; a half line at
// the end, of a process that was killed, is passed over. Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "tools/stress_result.h"

namespace pawsight::tools {

struct CellPlan {
  CellRole role = CellRole::kGrid;
  int server = 0;
  int clients = 0;        // 0: an open loop
  double rate_per_s = 0;  // of it
};
bool SameCell(const CellPlan& plan, const StressCell& cell);

struct Grid {
  std::vector<int> server;   // 1..256, or {0}
  std::vector<int> clients;  // 1..4096
};
/// "server=1,2,4 client=1,2,4,8", either part, in any order; what is left out stays as `grid` has it.
/// Errors: kInvalidArgument, naming the part.
Result<Grid> ParseGrid(std::string_view text, Grid grid);

/// For each server-thread count the grid's cells, then those of `rates` in an open loop.
std::vector<CellPlan> PlanCells(const Grid& grid, const std::vector<double>& rates);

/// "p99=150ms", "p50=..", "p90=..", "p99.9=..". Errors: kInvalidArgument.
Result<Slo> ParseSlo(std::string_view text);

/// The cells kept in OUT/cells.jsonl of the plan that `mark` describes.
class CellLog {
 public:
  /// Reads what is there; without a file it begins one. Errors: kFailedPrecondition, it is another plan's, or no file
  /// of this kind. kUnavailable, it cannot be written.
  static Result<CellLog> Open(const std::string& path, const Json& mark);

  const std::vector<StressCell>& found() const { return found_; }
  /// nullptr when that cell is still to be measured.
  const StressCell* Find(const CellPlan& plan) const;
  /// Errors: kUnavailable, as WriteFileAtomically.
  Status Append(const StressCell& cell);

 private:
  CellLog(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}

  std::string path_;
  std::string text_;  // of the whole file
  std::vector<StressCell> found_;
};

}  // namespace pawsight::tools
