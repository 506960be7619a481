#include "tools/stress_plan.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "base/files.h"
#include "base/options.h"

namespace pawsight::tools {
namespace {

constexpr size_t kMaxBytes = 16U << 20U;
constexpr size_t kMaxValues = 64;  // of one side of the grid

Result<std::vector<int>> ParseList(std::string_view text, int most) {
  std::vector<std::string> words;
  PAWSIGHT_RETURN_IF_ERROR(ReadOption(text, &words));
  std::vector<int> values;
  for (const std::string& word : words) {
    int value = 0;
    PAWSIGHT_RETURN_IF_ERROR(ReadOption(word, &value));
    if (value < 1 || value > most) return InvalidArgument("want 1.." + std::to_string(most));
    values.push_back(value);
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.empty() || values.size() > kMaxValues) return InvalidArgument("want 1 to 64 numbers");
  return values;
}

}  // namespace

bool SameCell(const CellPlan& plan, const StressCell& cell) {
  return plan.role == cell.role && plan.server == cell.server && plan.clients == cell.clients &&
         plan.rate_per_s == cell.rate_per_s;
}

Result<Grid> ParseGrid(std::string_view text, Grid grid) {
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (equals == std::string::npos || (name != "server" && name != "client")) {
      return InvalidArgument("want server=1,2 client=1,2,4");
    }
    Result<std::vector<int>> values =
        ParseList(std::string_view(word).substr(equals + 1), name == "server" ? 256 : 4096);
    if (!values.ok()) return Annotate(values.status(), name);
    (name == "server" ? grid.server : grid.clients) = std::move(values).value();
  }
  return grid;
}

std::vector<CellPlan> PlanCells(const Grid& grid, const std::vector<double>& rates) {
  std::vector<CellPlan> plans;
  for (const int server : grid.server) {
    for (const int clients : grid.clients) plans.push_back({CellRole::kGrid, server, clients, 0});
    for (const double rate : rates) plans.push_back({CellRole::kOpen, server, 0, rate});
  }
  return plans;
}

Result<Slo> ParseSlo(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 4> kKnown{
      {{"p50=", 0.5}, {"p90=", 0.9}, {"p99=", 0.99}, {"p99.9=", 0.999}}};
  for (const auto& [start, quantile] : kKnown) {
    if (!text.starts_with(start)) continue;
    std::chrono::nanoseconds latency{0};
    PAWSIGHT_RETURN_IF_ERROR(ReadOption(text.substr(start.size()), &latency));
    if (latency.count() <= 0) return InvalidArgument("want a time above 0");
    return Slo{quantile, static_cast<double>(latency.count()) / 1e6};
  }
  return InvalidArgument("want p50=, p90=, p99= or p99.9= and a time, as p99=150ms");
}

Result<CellLog> CellLog::Open(const std::string& path, const Json& mark) {
  const std::string first = Json(Json::Object{{"plan", mark}}).Dump() + "\n";
  if (!FileExists(path)) {
    PAWSIGHT_RETURN_IF_ERROR(WriteFileAtomically(path, first));
    return CellLog(path, first);
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxBytes));
  if (!text.starts_with(first)) {
    return FailedPrecondition(path + ": of another plan; name another --out, or remove it");
  }
  CellLog log(path, first);
  std::istringstream lines(text.substr(first.size()));
  for (std::string line; std::getline(lines, line);) {
    const auto json = Json::Parse(line);
    if (!json.ok()) continue;
    Result<StressCell> cell = CellFromJson(*json);
    if (!cell.ok()) continue;
    log.text_ += line + "\n";
    log.found_.push_back(std::move(cell).value());
  }
  return log;
}

const StressCell* CellLog::Find(const CellPlan& plan) const {
  const auto found = std::ranges::find_if(found_, [&](const StressCell& cell) { return SameCell(plan, cell); });
  return found == found_.end() ? nullptr : &*found;
}

Status CellLog::Append(const StressCell& cell) {
  text_ += CellToJson(cell).Dump() + "\n";
  found_.push_back(cell);
  return WriteFileAtomically(path_, text_);
}

}  // namespace pawsight::tools
