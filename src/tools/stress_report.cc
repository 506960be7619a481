#include "tools/stress_report.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "tools/chart.h"
#include "tools/latency_record.h"
#include "tools/recommendation.h"
#include "tools/scaling_law.h"
#include "tools/stress_table.h"

namespace pawsight::tools {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#22303a;--soft:#5d6c76;--line:#dfe6ea;--paper:#fff;--ground:#f4f7f8;--bad:#b4452f;--good:#2c7a5b;
--c0:#2a6f97;--c1:#a85a18;--c2:#2c7a5b;--c3:#8a4fa3;--c4:#b4452f;--c5:#5f7d1f;--c6:#237580;--c7:#7a6a58}
@media(prefers-color-scheme:dark){:root{--ink:#e4ebef;--soft:#9fb0ba;--line:#33424c;--paper:#1b252c;--ground:#12191e;--bad:#f08a72;--good:#6fcf9f;
--c0:#6cb6e0;--c1:#f0a764;--c2:#6fcf9f;--c3:#c99ae0;--c4:#f08a72;--c5:#b5d36b;--c6:#74d0dc;--c7:#c9b8a3}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1000px;margin:0 auto;padding:20px 16px 60px}h1{font-size:1.7rem;margin:.2em 0}h2{font-size:1.25rem;margin:.8em 0 .3em}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:4px 18px 14px;margin:18px 0}
.soft,figcaption,.legend{color:var(--soft)}.bad{color:var(--bad);font-weight:600}.good{color:var(--good)}
dl{display:grid;grid-template-columns:fit-content(60%) 1fr;gap:2px 18px;margin:.4em 0}dt{color:var(--soft)}dd{margin:0;font-weight:600}
figure{margin:14px 0}figcaption{font-weight:600}svg{width:100%;height:auto;font-size:13px}svg text{fill:var(--soft)}
.grid{stroke:var(--line)}.limit{stroke:var(--bad);stroke-dasharray:6 4}polyline{fill:none;stroke-width:2}.dashed{stroke-dasharray:3 4;opacity:.8}
.mark{fill:none;stroke:var(--ink);stroke-width:2.5}.legend{margin:0;font-size:.9rem}.legend span{margin-right:14px;white-space:nowrap}
.c0{stroke:var(--c0)}.dot.c0{fill:var(--c0);stroke:none}.k0{color:var(--c0)}.c1{stroke:var(--c1)}.dot.c1{fill:var(--c1);stroke:none}.k1{color:var(--c1)}
.c2{stroke:var(--c2)}.dot.c2{fill:var(--c2);stroke:none}.k2{color:var(--c2)}.c3{stroke:var(--c3)}.dot.c3{fill:var(--c3);stroke:none}.k3{color:var(--c3)}
.c4{stroke:var(--c4)}.dot.c4{fill:var(--c4);stroke:none}.k4{color:var(--c4)}.c5{stroke:var(--c5)}.dot.c5{fill:var(--c5);stroke:none}.k5{color:var(--c5)}
.c6{stroke:var(--c6)}.dot.c6{fill:var(--c6);stroke:none}.k6{color:var(--c6)}.c7{stroke:var(--c7)}.dot.c7{fill:var(--c7);stroke:none}.k7{color:var(--c7)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.88rem}
@media(max-width:700px){section{padding:4px 12px 12px}.scroll svg{width:600px;font-size:17px}}
th,td{padding:4px 10px 4px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--soft)}
)";

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// "server-client", as the classic chart names a cell; of a server whose threads are not ours to set, its clients.
std::string CellName(const StressCell& cell) {
  return (cell.server > 0 ? std::to_string(cell.server) + "-" : "") + std::to_string(cell.clients);
}

/// What a cell was measured for, in words.
std::string RoleWords(CellRole role) {
  switch (role) {
    case CellRole::kGrid:
      return "closed loop";
    case CellRole::kOpen:
      return "open loop";
    case CellRole::kCheckCap:
      return "check at the cap";
    case CellRole::kCheckOverload:
      return "check at twice that";
  }
  CHECK(false);
}

std::string LoadWords(const StressCell& cell) {
  if (cell.clients == 0) return EscapeMarkup(cell.arrivals) + " " + Number(cell.rate_per_s) + "/s";
  return std::to_string(cell.clients) + (cell.clients == 1 ? " client" : " clients");
}

/// The ring in the charts.
std::string MarkName(const StressResult& result) {
  const bool kept = result.recommendation && result.recommendation->slo_kept;
  return kept ? "the knee" : "nearest to the objective, which no cell keeps";
}

std::string ServerName(int server) { return server > 0 ? "server " + std::to_string(server) : "server"; }

/// The grid's cells that were answered, but those that tell the gate's throughput.
std::vector<const StressCell*> GridOf(const StressResult& result) {
  std::vector<const StressCell*> grid;
  for (const StressCell& cell : result.cells) {
    if (cell.role == CellRole::kGrid && cell.answered > 0 && !cell.gate_limited) grid.push_back(&cell);
  }
  return grid;
}

bool IsKnee(const StressResult& result, const StressCell& cell) {
  const auto& advice = result.recommendation;
  return advice && cell.role == CellRole::kGrid && cell.server == advice->server && cell.clients == advice->cap;
}

Chart ByCell(const StressResult& result) {
  const bool has_threads = std::ranges::any_of(GridOf(result), [](const StressCell* cell) { return cell->server > 0; });
  Chart chart{.title = has_threads ? "Latency by cell: server threads - clients" : "Latency by clients at once",
              .x_label = has_threads ? "server-client" : "clients",
              .y_label = "ms"};
  ChartLine p50{.name = "p50"}, p90{.name = "p90"}, p99{.name = "p99"};
  int last_server = GridOf(result).empty() ? 0 : GridOf(result).front()->server;
  for (const StressCell* cell : GridOf(result)) {
    const auto x = static_cast<double>(chart.names.size());
    if (cell->server != last_server) chart.gaps.push_back(x);
    last_server = cell->server;
    chart.names.push_back(CellName(*cell));
    p50.points.emplace_back(x, cell->latency.p50.ms);
    p90.points.emplace_back(x, cell->latency.p90.ms);
    p99.points.emplace_back(x, cell->latency.p99.ms);
    if (IsKnee(result, *cell)) chart.marks.emplace_back(x, PercentileOf(cell->latency, result.slo.quantile).ms);
  }
  chart.lines = {p50, p90, p99};
  chart.mark_name = MarkName(result);
  chart.limit = result.slo.latency_ms;
  chart.limit_name = "objective: p" + Number(100 * result.slo.quantile);
  return chart;
}

/// One line a server-thread count of what `x` and `y` say of a cell.
template <typename X, typename Y>
Chart ByServer(const StressResult& result, Chart chart, X x, Y y) {
  std::map<int, ChartLine> lines;
  for (const StressCell* cell : GridOf(result)) {
    lines[cell->server].points.emplace_back(x(*cell), y(*cell));
    if (IsKnee(result, *cell)) chart.marks.emplace_back(x(*cell), y(*cell));
  }
  for (auto& [server, line] : lines) {
    line.name = ServerName(server);
    chart.lines.push_back(std::move(line));
  }
  chart.mark_name = MarkName(result);
  return chart;
}

Chart ThroughputByClients(const StressResult& result) {
  const auto clients = [](const StressCell& cell) { return static_cast<double>(cell.clients); };
  Chart chart = ByServer(
      result,
      {.title = result.laws.empty() ? "Throughput by clients" : "Throughput by clients; dashed: the scaling law",
       .x_label = "clients",
       .y_label = "frames/s"},
      clients, [](const StressCell& cell) { return cell.frames_per_s; });
  double most = 1;
  for (const StressCell* cell : GridOf(result)) most = std::max(most, clients(*cell));
  for (const LawFit& law : result.laws) {
    ChartLine line{.name = "law, " + ServerName(law.server), .dashed = true};
    for (int i = 0; i <= 60; ++i) {
      const double n = 1 + (most - 1) * i / 60;
      line.points.emplace_back(n, LawAt(law, n));
    }
    chart.lines.push_back(std::move(line));
  }
  return chart;
}

Chart LatencyByThroughput(const StressResult& result) {
  Chart chart = ByServer(
      result,
      {.title = "Latency against throughput",
       .x_label = "frames/s",
       .y_label = "p" + Number(100 * result.slo.quantile) + " ms"},
      [](const StressCell& cell) { return cell.frames_per_s; },
      [&](const StressCell& cell) { return PercentileOf(cell.latency, result.slo.quantile).ms; });
  chart.limit = result.slo.latency_ms;
  chart.limit_name = "objective";
  return chart;
}

Chart PriceByClients(const StressResult& result) {
  return ByServer(
      result, {.title = "Price of a million frames at each cell's throughput", .x_label = "clients", .y_label = "$"},
      [](const StressCell& cell) { return static_cast<double>(cell.clients); },
      [&](const StressCell& cell) { return PricePerMillion(*result.price_per_hour, cell.frames_per_s); });
}

std::string AdviceSection(const StressResult& result) {
  const std::string gate = GateText(result);
  const std::string gate_html = gate.empty() ? "" : "<p class=bad>" + EscapeMarkup(gate) + ".</p>";
  if (!result.recommendation) {
    return "<section><h2>Advice</h2>" + (gate.empty() ? "<p class=bad>Nothing was answered.</p>" : gate_html) +
           "</section>\n";
  }
  const Recommendation& r = *result.recommendation;
  std::string html = "<section><h2>Advice: one instance</h2>";
  html += gate_html;
  if (!r.slo_kept) html += "<p class=bad>No cell keeps the objective; this is the nearest.</p>";
  const auto row = [&](const std::string& name, const std::string& value) { html += "<dt>" + name + "<dd>" + value; };
  const auto check = [&](CellRole role, const std::optional<bool>& holds) -> std::string {
    if (!holds) return SaysNothing(result, role) ? "<span class=bad>says nothing</span>" : "not made";
    return *holds ? "<span class=good>holds</span>" : "<span class=bad>does not hold</span>";
  };
  html += "<dl>";
  if (r.server > 0) row("server threads", std::to_string(r.server));
  row("concurrency cap", std::to_string(r.cap));
  row("safe rate, the autoscaling target", Number(r.safe_per_s) + " frames/s");
  row("measured at the cap", Number(r.frames_per_s) + " frames/s");
  row("p" + Number(100 * result.slo.quantile) + " there",
      Number(r.latency_ms) + " ms, " + Number(result.slo.latency_ms) + " are allowed");
  if (r.price_per_million_frames) row("a million frames", "$ " + Number(*r.price_per_million_frames));
  if (r.price_per_million_answers) row("a million answers", "$ " + Number(*r.price_per_million_answers));
  row("check at the cap", check(CellRole::kCheckCap, r.cap_holds));
  row("check at twice that, of what is accepted", check(CellRole::kCheckOverload, r.overload_holds));
  html += "</dl><p class=soft>" + EscapeMarkup(r.why) + ".</p>";
  if (!r.cap_set.value_or(true)) {
    html += "<p class=soft>The checks are of the server as it is: the cap was not set there.</p>";
  }
  for (const LawFit& law : result.laws) {
    html +=
        "<p class=soft>Scaling law, " + ServerName(law.server) + ": &lambda; " + Number(law.lambda) + "/s, &sigma; " +
        Number(law.sigma) + ", &kappa; " + Number(law.kappa) + ", r&sup2; " + Number(law.r2) +
        (law.peak_clients > 0 ? ", peak " + Number(law.peak_per_s) + "/s at " + Number(law.peak_clients) + " clients"
                              : ", no peak") +
        ".</p>";
  }
  return html + "</section>\n";
}

std::string NumbersSection(const StressResult& result) {
  std::string html =
      "<section><h2>All cells</h2><div class=scroll><table><tr><th>measured<th>server "
      "threads<th>load<th>frames/s<th>p50 "
      "ms<th>p90<th>p99"
      "<th>95 % interval<th>p99.9<th>max<th>gated<th>refused<th>failed<th>unseen<th>queue ms<th>compute ms<th>server "
      "cores<th>client "
      "cores<th>machine</tr>\n";
  for (const StressCell& c : result.cells) {
    const LatencySummary& l = c.latency;
    html +=
        "<tr><td>" + RoleWords(c.role) + "<td>" + (c.server > 0 ? std::to_string(c.server) : "-") + "<td>" +
        LoadWords(c) + "<td>" + Number(c.frames_per_s) + "<td>" + Number(l.p50.ms) + "<td>" + Number(l.p90.ms) +
        "<td>" + Number(l.p99.ms) + "<td>" + Number(l.p99.low_ms) + ".." + Number(l.p99.high_ms) + "<td>" +
        Number(l.p99_9.ms) + "<td>" + Number(l.max_ms) + "<td>" + std::to_string(c.num_gated()) +
        (c.gate_limited ? " <span class=bad>limited</span>" : "") + "<td>" + std::to_string(c.num_refused()) + "<td>" +
        std::to_string(c.num_failed()) + "<td>" + std::to_string(c.num_unseen()) + "<td>" +
        (c.server_times ? Number(c.server_times->queue_ms) + "<td>" + Number(c.server_times->compute_ms) : "-<td>-") +
        "<td>" + (c.server_cores ? Number(*c.server_cores) : "-") + "<td>" + Number(c.client_cores) +
        (c.client_saturated ? " <span class=bad>saturated</span>" : "") + "<td>" + Number(100 * c.machine_busy) +
        " %</tr>\n";
  }
  return html + "</table></div></section>\n";
}

/// What became of frames that had no answer, by the server's own reasons, and what the four words mean.
std::string UnansweredSection(const StressResult& result) {
  std::string rows;
  for (const StressCell& cell : result.cells) {
    const auto add = [&](const char* word, const std::map<std::string, int64_t>& reasons) {
      for (const auto& [reason, count] : reasons) {
        rows += "<tr><td>" + RoleWords(cell.role) + "<td>" + LoadWords(cell) + "<td>" + word + "<td>" +
                EscapeMarkup(reason) + "<td>" + std::to_string(count) + "</tr>\n";
      }
    };
    add("gated", cell.gated);
    add("refused", cell.refused);
    add("failed", cell.failed);
    add("unseen", cell.unseen);
  }
  if (rows.empty()) return "";
  return "<section><h2>Frames without an answer</h2><div class=scroll><table><tr><th>measured<th>load<th>what<th>reason"
         "<th>frames</tr>\n" +
         rows +
         "</table></div><p class=soft><b>Gated</b>: the change gate saw nothing that is worth asking about; nothing is "
         "wrong. <b>Refused</b>: too much was there, so it was never asked about; said at the door, or of a frame that "
         "waited in a gateway when a newer one of its camera took its place (replaced) or its time was over "
         "(deadline). "
         "Under more load than it holds a server is to refuse. <b>Failed</b>: taken, and no answer came, or not in "
         "time. "
         "<b>Unseen</b>: the load was too slow to send it or to see what became of it, which says nothing of the "
         "server.</p></section>\n";
}

}  // namespace

std::string StressReport(const StressResult& result) {
  const StressLoad& load = result.load;
  std::string html =
      "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width,initial-scale=1\"><meta http-equiv=Content-Security-Policy content=\"default-src "
      "'none';style-src 'unsafe-inline'\"><title>What one instance holds</title><style>" +
      std::string(kStyle) + "</style></head><body><main>\n<h1>What one instance holds</h1><p class=soft>" +
      EscapeMarkup(result.target.name) +
      (result.target.precision.empty() ? "" : ", " + EscapeMarkup(result.target.precision)) + ", by " +
      EscapeMarkup(result.target.protocol) + ". " + std::to_string(load.questions_a_frame) + " questions a frame of " +
      Number(load.frame_bytes / 1000) + " kB. " + EscapeMarkup(result.machine.processor) + ", " +
      std::to_string(result.machine.cores) + " cores. " + Number(load.duration_s) + " s a cell after " +
      Number(load.warmup_s) + " s. " + EscapeMarkup(result.made_at) + ", pawsight " + EscapeMarkup(result.version) +
      ".</p>\n";
  if (!result.target.path.empty()) {
    html += "<p class=soft>Path: " + EscapeMarkup(PathText(result.target.path)) + ".</p>\n";
  }
  if (!result.complete) html += "<p class=bad>Stopped before its end: some cells are missing.</p>\n";
  html += AdviceSection(result) + "<section><h2>Charts</h2>" + DrawChart(ByCell(result)) +
          DrawChart(ThroughputByClients(result)) + DrawChart(LatencyByThroughput(result));
  if (result.price_per_hour) html += DrawChart(PriceByClients(result));
  return html + "</section>\n" + NumbersSection(result) + UnansweredSection(result) + "</main></body></html>\n";
}

}  // namespace pawsight::tools
