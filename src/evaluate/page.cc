#include "evaluate/page.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string_view>

#include "base/base64.h"
#include "base/rng.h"
#include "evaluate/page_parts.h"

namespace pawsight::evaluate {
namespace {

constexpr std::string_view kStyle = R"(
:root{--ink:#22303a;--soft:#5d6c76;--line:#dfe6ea;--good:#2c7a5b;--bad:#b4452f;--accent:#2a6f97;--paper:#fff;--ground:#f4f7f8;
--empty:#e3eaee;--even:#8a99a3;--warned:#fff4e5;--edge:#eec27a;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--ink:#e4ebef;--soft:#9fb0ba;--line:#33424c;--good:#6fcf9f;--bad:#f08a72;--accent:#6cb6e0;--paper:#1b252c;
--ground:#12191e;--empty:#2b3840;--even:#7b8b95;--warned:#3a2d14;--edge:#8a6a2a}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:20px 16px 60px}h1{font-size:1.7rem;margin:.2em 0}h2{font-size:1.3rem;margin:1.6em 0 .5em}
h3{font-size:1.05rem;margin:1.4em 0 .4em}p{margin:.4em 0;max-width:70ch}.soft{color:var(--soft)}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:4px 18px 18px;margin:18px 0}
.warning{background:var(--warned);border:1px solid var(--edge);border-radius:12px;padding:10px 16px;font-weight:600}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;min-width:340px}
th,td{padding:5px 12px 5px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--soft);font-size:.86rem}tr.sum td{font-weight:600}
.bar{display:inline-block;width:90px;height:9px;border-radius:5px;background:var(--empty);vertical-align:middle;overflow:hidden}
.bar i{display:block;height:100%;background:var(--accent)}svg{max-width:100%;height:auto}svg text{fill:var(--soft)}
.axis{stroke:var(--line)}.even{stroke:var(--even)}.before{color:var(--bad)}.after{color:var(--accent)}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}
figure{margin:0;border:1px solid var(--line);border-radius:10px;overflow:hidden;background:var(--paper)}
figure img{width:100%;aspect-ratio:1;display:block;background:var(--empty)}figcaption{padding:7px 9px;font-size:.84rem;line-height:1.35}
.wrong figcaption b{color:var(--bad)}.right figcaption b{color:var(--good)}
)";

/// At random but always the same, and in the order of the set.
std::vector<size_t> Sample(std::vector<size_t> all, int most, uint64_t seed) {
  Rng rng(seed);
  const size_t count = std::min(all.size(), static_cast<size_t>(std::max(most, 0)));
  for (size_t i = 0; i < count; ++i) {
    std::swap(all[i], all[i + static_cast<size_t>(rng.Below(static_cast<int>(all.size() - i)))]);
  }
  all.resize(count);
  std::ranges::sort(all);
  return all;
}

std::string Figure(const Observed& set, const Observation& one) {
  const Thumbnail& picture = set.pictures[static_cast<size_t>(one.picture)];
  std::string html = one.truth.empty() ? "<figure>" : one.right() ? "<figure class=right>" : "<figure class=wrong>";
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as bytes
  const std::string_view jpeg(reinterpret_cast<const char*>(picture.jpeg.data()), picture.jpeg.size());
  html += "<img loading=lazy alt=\"\" src=\"data:image/jpeg;base64," + EncodeBase64(jpeg) + "\">";
  html += "<figcaption>" + EscapeHtml(one.question) + "<br><b>" + EscapeHtml(one.answer) + "</b> " +
          (one.yes_no ? "p_yes " + Fixed(one.p_yes, 2) : "p " + Fixed(one.p, 2));
  if (!one.truth.empty() && !one.right()) html += "<br>true: " + EscapeHtml(one.truth);
  const std::string kind = picture.kind.empty() ? "" : ", " + EscapeHtml(picture.kind);
  return html + "<br><span class=soft>" + EscapeHtml(picture.id) + kind + "</span></figcaption></figure>\n";
}

std::string ContactSheet(const PageInput& input, const Observed& set, bool right) {
  std::vector<size_t> fitting;
  for (size_t i = 0; i < set.observations.size(); ++i) {
    const Observation& one = set.observations[i];
    const bool pictured = !set.pictures[static_cast<size_t>(one.picture)].jpeg.empty();
    if (pictured && (one.truth.empty() || one.right() == right)) fitting.push_back(i);
  }
  const std::vector<size_t> chosen = Sample(fitting, right ? input.most_right : input.most_wrong, input.seed);
  std::string html = "<p class=soft>" + std::to_string(chosen.size()) + " of " + std::to_string(fitting.size()) +
                     ", chosen at random, squashed to a square as the model sees them</p><div class=sheet>\n";
  for (const size_t i : chosen) html += Figure(set, set.observations[i]);
  return html + "</div>\n";
}

std::string Summary(const PageInput& input) {
  std::string html =
      "<section><h2>Summary</h2><div class=scroll><table><tr><th>set, kind of answer<th>asked<th>right<th>";
  html += "<th>always &ldquo;no&rdquo;<th>words alone</tr>\n";
  for (const Tally& tally : *input.tallies) html += GroupRows(tally);
  html +=
      "</table></div><p class=soft>Blind baselines, on the same questions: always saying &ldquo;no&rdquo;; and the "
      "most "
      "frequent other answer to the same wording, no picture seen. A model is worth what it is above them.</p>";
  if (input.unknown_tally) {
    const UnknownCounts& all = input.unknown_tally->all;
    html += "<p>Asked what it never learned (" + std::to_string(all.asked) + " answers), p_yes is " +
            Fixed(all.distance, 3) + " from one half on average, " + Fixed(100 * all.bold, 1) +
            " % are bold (below 0.2 or above 0.8), " + Fixed(100 * all.in_band, 1) + " % are marked unsure.</p>";
  }
  return html + "</section>\n";
}

std::string SetSection(const PageInput& input, size_t index) {
  const Observed& set = (*input.sets)[index];
  const Tally& tally = (*input.tallies)[index];
  std::string html = "<section><h2>" + EscapeHtml(set.set) + "</h2><h3>By family</h3>" + FamilyTable(tally);
  html += "<h3>Yes and no</h3>" + YesNoTable(tally.yes_no);
  if (!tally.confusions.empty()) html += "<h3>Words taken for others</h3>" + ConfusionTable(tally);
  if (tally.yes_no.asked > 0) html += "<h3>How sure, how right</h3>" + ReliabilityCurve(tally, input.calibrated);
  html += "<h3>Wrong answers</h3>" + ContactSheet(input, set, false);
  html += "<h3>Right answers</h3>" + ContactSheet(input, set, true);
  return html + "</section>\n";
}

std::string UnknownSection(const PageInput& input) {
  std::string html =
      "<section><h2>Questions the model never learned</h2><div class=scroll><table><tr><th>question<th>asked"
      "<th>mean |p &minus; 0.5|<th>unsure<th>bold</tr>\n";
  for (const auto& [question, counts] : input.unknown_tally->questions) {
    html += "<tr><td>" + EscapeHtml(question) + "<td>" + std::to_string(counts.asked) + "<td>" +
            Fixed(counts.distance, 3) + "<td>" + Fixed(100 * counts.in_band, 0) + " %<td>" +
            Fixed(100 * counts.bold, 0) + " %</tr>\n";
  }
  return html + "</table></div><h3>Some of them</h3>" + ContactSheet(input, *input.unknown, true) + "</section>\n";
}

}  // namespace

std::string MakePage(const PageInput& input) {
  bool private_pictures = input.unknown != nullptr && input.unknown->private_pictures;
  for (const Observed& set : *input.sets) private_pictures = private_pictures || set.private_pictures;
  std::string html =
      "<!doctype html><html lang=en><head><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none';img-src data:;style-src "
      "'unsafe-inline'\"><title>";
  html += EscapeHtml(input.model) + ": what it answers</title><style>" + std::string(kStyle) +
          "</style></head><body><main>\n";
  if (private_pictures) {
    html +=
        "<p class=warning>This page holds pictures of others. They may be looked at here and must not be "
        "published.</p>\n";
  }
  html +=
      "<h1>" + EscapeHtml(input.model) + "</h1><p class=soft>What it answers, and how sure it says it is. " +
      EscapeHtml(input.when) + ". " +
      (input.calibrated ? "p is calibrated by the model's calibration.json"
                        : "p is as the model gave it, without calibration") +
      (input.unsure ? "; unsure between " + Fixed(input.unsure->low, 2) + " and " + Fixed(input.unsure->high, 2) : "") +
      ".</p>\n";
  html += Summary(input);
  for (size_t i = 0; i < input.sets->size(); ++i) html += SetSection(input, i);
  if (input.unknown != nullptr && input.unknown_tally) html += UnknownSection(input);
  return html + "</main></body></html>\n";
}

}  // namespace pawsight::evaluate
