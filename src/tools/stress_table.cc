#include "tools/stress_table.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "tools/latency_record.h"
#include "tools/recommendation.h"

namespace pawsight::tools {
namespace {

__attribute__((format(printf, 1, 2))) std::string Line(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

std::string Load(const StressCell& cell) {
  std::string load =
      cell.clients > 0 ? std::to_string(cell.clients) : Line("%s %.4g/s", cell.arrivals.c_str(), cell.rate_per_s);
  if (cell.role == CellRole::kCheckCap) load += " check";
  if (cell.role == CellRole::kCheckOverload) load += " x2";
  return load;
}

std::string Optional(const char* format, const std::optional<double>& value) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, *value);  // NOLINT(clang-diagnostic-format-nonliteral): ours
  return text;
}

std::string Reasons(const StressCell& cell) {
  std::string text;
  if (!cell.gated.empty()) text += " gated:";
  for (const auto& [reason, count] : cell.gated)
    text += Line(" %s %lld", reason.c_str(), static_cast<long long>(count));
  if (!cell.gated.empty() && cell.num_refused() + cell.num_failed() > 0) text += ";";
  for (const auto& [reason, count] : cell.refused)
    text += Line(" %s %lld", reason.c_str(), static_cast<long long>(count));
  for (const auto& [reason, count] : cell.failed)
    text += Line(" FAILED %s %lld", reason.c_str(), static_cast<long long>(count));
  for (const auto& [reason, count] : cell.unseen)
    text += Line(" unseen: %s %lld", reason.c_str(), static_cast<long long>(count));
  if (!cell.outcomes.empty()) text += "; rules:";
  for (const auto& [reason, count] : cell.outcomes)
    text += Line(" %s %lld", reason.c_str(), static_cast<long long>(count));
  return text;
}

}  // namespace

std::string PathText(const std::string& path) {
  return path == "camera"
             ? "as cameras and pages use it: frames are posted, answers come on the live stream, and the change "
               "gate decides what is asked (\"gated\" is not)"
             : "each frame is posted and waited for (?wait=answers), which asks about every one";
}

std::string GateText(const StressResult& result) {
  const auto limited = std::ranges::count_if(result.cells, [](const StressCell& cell) { return cell.gate_limited; });
  if (limited == 0) return "";
  return Line(
             "gate!: in %lld of %zu cells the change gate decided how much was asked, so they say nothing of the "
             "server. ",
             static_cast<long long>(limited), result.cells.size()) +
         "It asks about a picture that goes on changing once in two seconds, and seldom about one that does not "
         "change: want more --cameras, other --frames, or --wait";
}

std::string CellHeading() {
  return Line("%6s %18s %9s %8s %8s %8s %8s %8s %8s %8s %8s %7s %7s %7s\n", "server", "clients", "frames/s", "p50 ms",
              "p90", "p99", "p99.9", "max", "refused", "queue ms", "compute", "server", "client", "MB");
}

std::string CellRow(const StressCell& cell) {
  const LatencySummary& l = cell.latency;
  std::optional<double> queue, compute;
  if (cell.server_times) {
    queue = cell.server_times->queue_ms;
    compute = cell.server_times->compute_ms;
  }
  return Line("%6s %18s %9.4g %8.4g %8.4g %8.4g %8.4g %8.4g %8lld %8s %8s %7s %7.2f %7s",
              cell.server > 0 ? std::to_string(cell.server).c_str() : "-", Load(cell).c_str(), cell.frames_per_s,
              l.p50.ms, l.p90.ms, l.p99.ms, l.p99_9.ms, l.max_ms, static_cast<long long>(cell.num_refused()),
              Optional("%.4g", queue).c_str(), Optional("%.4g", compute).c_str(),
              Optional("%.2f", cell.server_cores).c_str(), cell.client_cores,
              Optional("%.0f", cell.server_rss_mb).c_str()) +
         (cell.client_saturated ? " client!" : "") + (cell.gate_limited ? " gate!" : "") + Reasons(cell) + "\n";
}

std::string Advice(const StressResult& result) {
  std::string text;
  for (const LawFit& law : result.laws) {
    text += Line("scaling law, server %d: lambda %.4g/s, sigma %.4g, kappa %.4g, r2 %.3f; ", law.server, law.lambda,
                 law.sigma, law.kappa, law.r2);
    text +=
        law.peak_clients > 0 ? Line("peak %.4g/s at %.3g clients\n", law.peak_per_s, law.peak_clients) : "no peak\n";
  }
  const std::string gate = GateText(result);
  if (!gate.empty()) text += gate + "\n";
  if (!result.recommendation) {
    return text + (gate.empty() ? "nothing was answered, so there is no advice\n" : "so there is no advice\n");
  }
  const Recommendation& r = *result.recommendation;
  if (!result.target.path.empty()) text += "path: " + PathText(result.target.path) + "\n";
  text += r.slo_kept ? "advice, one instance:\n" : "NO CELL KEEPS THE OBJECTIVE; the nearest, one instance:\n";
  if (r.server > 0) text += Line("  server threads       %d\n", r.server);
  text += Line("  concurrency cap      %d (%s)\n", r.cap, r.why.c_str());
  text += Line("  frames a second      %.4g measured there, %.4g safe: the autoscaling target\n", r.frames_per_s,
               r.safe_per_s);
  if (r.price_per_million_frames) {
    text += Line("  a million frames     $ %.4g, a million answers $ %.4g, at the safe rate\n",
                 *r.price_per_million_frames, r.price_per_million_answers.value_or(0));
  }
  const auto said = [&](CellRole role, const std::optional<bool>& check) {
    const bool gated = std::ranges::any_of(
        result.cells, [&](const StressCell& cell) { return cell.role == role && cell.gate_limited; });
    if (!check && !SaysNothing(result, role)) return "not made";
    if (!check) return gated ? "SAYS NOTHING (gate!)" : "SAYS NOTHING (client!)";
    return *check ? "holds" : "DOES NOT HOLD";
  };
  text += Line("  check at the cap     %s\n  check at twice that  %s (of what was accepted)\n",
               said(CellRole::kCheckCap, r.cap_holds), said(CellRole::kCheckOverload, r.overload_holds));
  if (!r.cap_set.value_or(true)) text += "  both of the server as it is: the cap was not set there\n";
  return text;
}

std::string CellsCsv(const StressResult& result) {
  std::string text =
      "role,server,clients,rate_per_s,arrivals,seconds,offered,answered,answered_share,gated,refused,failed,unseen,"
      "frames_per_"
      "s,"
      "answers_per_s,mean_"
      "ms,"
      "p50_ms,p90_ms,p99_ms,p99_low_ms,p99_high_ms,p99_9_ms,max_ms,queue_ms,compute_ms,server_cores,client_cores,"
      "server_rss_mb,machine_busy,client_saturated,gate_limited\n";
  const auto number = [](const std::optional<double>& value) { return value ? Line("%.6g", *value) : std::string(); };
  for (const StressCell& c : result.cells) {
    const LatencySummary& l = c.latency;
    text += Line(
        "%s,%d,%d,%.6g,%s,%.3f,%lld,%lld,%.6g,%lld,%lld,%lld,%lld,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,",
        std::string(CellRoleName(c.role)).c_str(), c.server, c.clients, c.rate_per_s, c.arrivals.c_str(), c.seconds,
        static_cast<long long>(c.offered), static_cast<long long>(c.answered), c.answered_share(),
        static_cast<long long>(c.num_gated()), static_cast<long long>(c.num_refused()),
        static_cast<long long>(c.num_failed()), static_cast<long long>(c.num_unseen()), c.frames_per_s, c.answers_per_s,
        l.mean_ms, l.p50.ms, l.p90.ms, l.p99.ms, l.p99.low_ms, l.p99.high_ms, l.p99_9.ms, l.max_ms);
    text += (c.server_times ? Line("%.6g,%.6g,", c.server_times->queue_ms, c.server_times->compute_ms) : ",,") +
            number(c.server_cores) + Line(",%.4f,", c.client_cores) + number(c.server_rss_mb) +
            Line(",%.4f,%d,%d\n", c.machine_busy, c.client_saturated ? 1 : 0, c.gate_limited ? 1 : 0);
  }
  return text;
}

}  // namespace pawsight::tools
