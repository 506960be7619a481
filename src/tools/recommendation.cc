#include "tools/recommendation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>

#include "tools/latency_record.h"
#include "tools/scaling_law.h"

namespace pawsight::tools {
namespace {

using Curve = std::vector<const StressCell*>;  // of one server-thread count, by clients

std::map<int, Curve> CurvesOf(const std::vector<StressCell>& cells) {
  std::map<int, Curve> curves;
  for (const StressCell& cell : cells) {
    if (cell.role == CellRole::kGrid && cell.latency.count > 0 && !cell.gate_limited)
      curves[cell.server].push_back(&cell);
  }
  for (auto& [server, curve] : curves) {
    std::ranges::sort(curve, [](const StressCell* a, const StressCell* b) { return a->clients < b->clients; });
  }
  return curves;
}

double LatencyOf(const StressCell& cell, const Slo& slo) { return PercentileOf(cell.latency, slo.quantile).ms; }

/// nullptr: no cell keeps the objective. With `saturated` also those whose load could do no more.
const StressCell* KneeOf(const Curve& curve, const Slo& slo, bool saturated) {
  const StressCell* knee = nullptr;
  const double a_client = curve.front()->frames_per_s / curve.front()->clients;
  for (const StressCell* cell : curve) {
    if (!Holds(*cell, slo) || (cell->client_saturated && !saturated)) continue;
    if (knee != nullptr) {
      const double grown = cell->frames_per_s - knee->frames_per_s;
      if (grown < kWorth * a_client * (cell->clients - knee->clients)) continue;
    }
    knee = cell;
  }
  return knee;
}

/// Of the server-thread counts' knees the highest; within 2 % the one with fewer threads.
const StressCell* BestKnee(const std::map<int, Curve>& curves, const Slo& slo, bool saturated) {
  const StressCell* best = nullptr;
  for (const auto& [server, curve] : curves) {
    const StressCell* knee = KneeOf(curve, slo, saturated);
    if (knee != nullptr && (best == nullptr || knee->frames_per_s > 1.02 * best->frames_per_s)) best = knee;
  }
  return best;
}

/// Whether it is known what more clients than the knee's do to the same server threads.
bool MoreWasMeasured(const std::vector<StressCell>& cells, const StressCell& knee) {
  return std::ranges::any_of(cells, [&](const StressCell& cell) {
    return cell.role == CellRole::kGrid && cell.server == knee.server && cell.clients > knee.clients &&
           !cell.gate_limited && (!cell.client_saturated || knee.client_saturated);
  });
}

std::string Why(const std::vector<StressCell>& cells, const StressCell& cell, const Slo& slo, bool kept) {
  char text[240];
  std::snprintf(text, sizeof text,
                kept ? "with %d at once p%g is %.4g ms of %.4g allowed, and more at once "
                     : "no cell keeps the objective; with %d at once p%g is %.4g ms, more than the %.4g allowed",
                cell.clients, slo.quantile * 100, LatencyOf(cell, slo), slo.latency_ms);
  std::string why = text;
  if (kept) why += MoreWasMeasured(cells, cell) ? "add too little or break it" : "was not measured";
  return why + (cell.client_saturated ? "; there the load could do no more (client!), the server can" : "");
}

}  // namespace

double PricePerMillion(double price_per_hour, double per_s) { return price_per_hour / 3600 / per_s * 1e6; }

bool Holds(const StressCell& cell, const Slo& slo) {
  return cell.latency.count > 0 && cell.num_failed() == 0 && LatencyOf(cell, slo) <= slo.latency_ms;
}

std::optional<bool> CheckHolds(const StressCell& cell, const Slo& slo) {
  constexpr double kMostUnseen = 0.1;
  if (cell.gate_limited) return std::nullopt;
  if (static_cast<double>(cell.num_unseen()) > kMostUnseen * static_cast<double>(cell.offered)) return std::nullopt;
  const bool holds = Holds(cell, slo);
  if (cell.client_saturated && (cell.clients > 0 || !holds)) return std::nullopt;
  return holds;
}

bool SaysNothing(const StressResult& result, CellRole check) {
  return std::ranges::any_of(
      result.cells, [&](const StressCell& cell) { return cell.role == check && !CheckHolds(cell, result.slo); });
}

int CamerasFor(double rate_per_s, const Slo& slo) {
  constexpr double kApart = 3;  // seconds between two frames of a camera
  const double cameras = std::ceil(rate_per_s * (kApart + slo.latency_ms / 1000));
  return static_cast<int>(std::clamp<double>(cameras, 64, kMostCameras));
}

std::vector<LawFit> FitLaws(const std::vector<StressCell>& cells) {
  std::vector<LawFit> laws;
  for (const auto& [server, curve] : CurvesOf(cells)) {
    std::vector<Throughput> points;
    for (const StressCell* cell : curve) {
      if (!cell->client_saturated && cell->frames_per_s > 0) {
        points.push_back({static_cast<double>(std::max(cell->clients, 1)), cell->frames_per_s});
      }
    }
    if (const auto law = FitLaw(server, points)) laws.push_back(*law);
  }
  return laws;
}

std::optional<Recommendation> Recommend(const std::vector<StressCell>& cells, const Slo& slo,
                                        std::optional<double> price_per_hour, int questions_a_frame) {
  const std::map<int, Curve> curves = CurvesOf(cells);
  if (curves.empty()) return std::nullopt;
  const StressCell* best = BestKnee(curves, slo, false);
  if (best == nullptr) best = BestKnee(curves, slo, true);
  const bool kept = best != nullptr;
  if (!kept) {
    for (const auto& [server, curve] : curves) {
      for (const StressCell* cell : curve) {
        if (best == nullptr || LatencyOf(*cell, slo) < LatencyOf(*best, slo)) best = cell;
      }
    }
  }
  Recommendation advice{.server = best->server,
                        .cap = best->clients,
                        .frames_per_s = best->frames_per_s,
                        .safe_per_s = kTarget * best->frames_per_s,
                        .latency_ms = LatencyOf(*best, slo),
                        .slo_kept = kept,
                        .why = Why(cells, *best, slo, kept)};
  if (price_per_hour && advice.safe_per_s > 0) {
    advice.price_per_million_frames = PricePerMillion(*price_per_hour, advice.safe_per_s);
    advice.price_per_million_answers = *advice.price_per_million_frames / std::max(questions_a_frame, 1);
  }
  return advice;
}

}  // namespace pawsight::tools
