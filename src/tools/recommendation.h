// tools/recommendation.h: from measured cells to how one instance should be run. Pure.
//
// The knee of a server-thread count is the highest number of clients of the grid that keeps the objective, had no
// failures and is worth it: from the number before, throughput has grown by more than kWorth of what the same share of
// one client's would add (a marginal client adds at least 10 % of a first one). The universal scalability law's peak is
// reported beside it and decides nothing: it is where throughput is highest, whatever the latency. Of the server-thread
// counts the one with the most frames a second at its knee is advised; within 2 % the one with fewer threads.
//
// A cell that the change gate limited (gate_limited) is never a knee, nor in a fit: its throughput is the gate's. One
// whose load was saturated is only where all are, and then the advice says so: the server holds more.
//
// The safe rate is kTarget of the throughput there: a closed loop sends when it is answered, cameras do not, and at the
// full rate a queue of arrivals by chance has no bound. It is the share that gateway/autoscale.h aims at.
#pragma once

#include <optional>
#include <vector>

#include "tools/stress_result.h"

namespace pawsight::tools {

constexpr double kWorth = 0.1;
constexpr double kTarget = 0.7;

/// One fit a server-thread count, of the grid's cells without a saturated client.
std::vector<LawFit> FitLaws(const std::vector<StressCell>& cells);

/// Where no cell keeps the objective: the cell whose percentile is least, slo_kept false. Absent: no grid cell has an
/// answer, or the gate limited all that have. `price_per_hour` of an instance, $.
std::optional<Recommendation> Recommend(const std::vector<StressCell>& cells, const Slo& slo,
                                        std::optional<double> price_per_hour, int questions_a_frame);

/// Whether the objective held for what was answered, and nothing failed. For overload a refusal is no failure, but
/// some must have been answered.
bool Holds(const StressCell& cell, const Slo& slo);

/// What a check says: Holds, or nothing where it is none of the load that it is named for: the gate let through too
/// little, the load missed what became of more than a tenth, or could do no more. An open loop whose load could do no
/// more and that holds all the same says so: its latency counts from when frames were due.
std::optional<bool> CheckHolds(const StressCell& cell, const Slo& slo);
/// Whether such a check was made and CheckHolds had nothing to say.
bool SaysNothing(const StressResult& result, CellRole check);

/// With how many cameras the change gate asks about every frame of an open loop at `rate_per_s`: of a picture that goes
/// on changing it asks once in two seconds (gateway/path/gate.h), arrivals come by chance, and a camera whose frame is
/// under way waits its turn. 64..kMostCameras.
constexpr int kMostCameras = 10'000;
int CamerasFor(double rate_per_s, const Slo& slo);

/// $ of a million, at so many an hour.
double PricePerMillion(double price_per_hour, double per_s);

}  // namespace pawsight::tools
