#include "evaluate/page_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "evaluate/page.h"

namespace pawsight::evaluate {
namespace {

// The curve's picture, in its own units.
constexpr double kWidth = 560, kHeight = 330, kLeft = 52, kTop = 14, kPlotWidth = 490, kPlotHeight = 260;

/// Probability 0.5..1 across, share 0..1 up.
double X(double p) { return kLeft + kPlotWidth * (p - 0.5) / 0.5; }
double Y(double share) { return kTop + kPlotHeight * (1.0 - share); }

std::string Point(double p, double share) { return Fixed(X(p), 1) + "," + Fixed(Y(share), 1); }

std::string Percent(double percent) { return Fixed(percent, 1) + " %"; }

std::string GroupRow(const std::string& name, const Counts& counts, bool sum) {
  if (counts.asked == 0) return "";
  const double right = counts.Percent(counts.right);
  const std::string no = counts.yes + counts.no == 0 ? "" : Percent(counts.Percent(counts.always_no));
  return std::string(sum ? "<tr class=sum>" : "<tr>") + "<td>" + EscapeHtml(name) + "<td>" +
         std::to_string(counts.asked) + "<td>" + Percent(right) +
         "<td><span class=bar><i style=\"width:" + Fixed(right, 0) + "%\"></i></span><td>" + no + "<td>" +
         Percent(counts.Percent(counts.words_alone)) + "</tr>\n";
}

/// Its colour is the class's.
std::string Curve(const Reliability& reliability, const std::string& name) {
  std::string line, dots;
  for (const ReliabilityBin& bin : reliability.bins) {
    if (bin.weight <= 0.0) continue;
    line += Point(std::max(bin.p, 0.5), bin.right) + " ";
    const double radius = 3.0 + 9.0 * std::sqrt(bin.weight / reliability.weight);
    dots += "<circle cx=\"" + Fixed(X(std::max(bin.p, 0.5)), 1) + "\" cy=\"" + Fixed(Y(bin.right), 1) + "\" r=\"" +
            Fixed(radius, 1) + "\" fill=\"currentColor\" fill-opacity=\".35\"/>";
  }
  return "<g class=" + name + "><polyline points=\"" + line +
         "\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"/>" + dots + "</g>";
}

std::string Text(double x, double y, const std::string& anchor, const std::string& text) {
  return "<text x=\"" + Fixed(x, 1) + "\" y=\"" + Fixed(y, 1) + "\" text-anchor=\"" + anchor + "\">" + text + "</text>";
}

std::string Axes() {
  std::string svg;
  for (int step = 0; step <= 5; ++step) {
    const double share = step / 5.0, p = 0.5 + step / 10.0;
    svg += "<path d=\"M" + Point(0.5, share) + " L" + Point(1.0, share) + "\" class=axis />" +
           Text(kLeft - 8, Y(share) + 4, "end", Fixed(share, 1)) + Text(X(p), Y(0) + 18, "middle", Fixed(p, 1));
  }
  svg += "<path d=\"M" + Point(0.5, 0.5) + " L" + Point(1.0, 1.0) + "\" class=even stroke-dasharray=\"5 4\"/>";
  return svg + Text(X(0.75), kHeight - 8, "middle", "probability of the answer given") +
         "<text transform=\"translate(13 " + Fixed(Y(0.5), 0) +
         ") rotate(-90)\" text-anchor=\"middle\">share right</text>";
}

}  // namespace

std::string Fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string GroupRows(const Tally& tally) {
  return GroupRow(tally.set + ": yes/no", tally.yes_no, false) + GroupRow(tally.set + ": counts", tally.counts, false) +
         GroupRow(tally.set + ": other words", tally.words, false) + GroupRow(tally.set + ": all", tally.all, true);
}

std::string FamilyTable(const Tally& tally) {
  std::string html =
      "<div class=scroll><table><tr><th>family<th>asked<th>right<th><th>words alone<th>of true yes<th>of true no"
      "</tr>\n";
  for (const auto& [family, counts] : tally.families) {
    const double right = counts.Percent(counts.right);
    html += "<tr><td>" + EscapeHtml(family) + "<td>" + std::to_string(counts.asked) + "<td>" + Percent(right) +
            "<td><span class=bar><i style=\"width:" + Fixed(right, 0) + "%\"></i></span><td>" +
            Percent(counts.Percent(counts.words_alone)) + "<td>" +
            (counts.yes == 0 ? "" : Percent(100.0 * counts.yes_right / counts.yes)) + "<td>" +
            (counts.no == 0 ? "" : Percent(100.0 * counts.no_right / counts.no)) + "</tr>\n";
  }
  return html + "</table></div>";
}

std::string YesNoTable(const Counts& yes_no) {
  const auto row = [](const std::string& name, int yes, int no) {
    return "<tr><td>" + name + "<td>" + std::to_string(yes) + "<td>" + std::to_string(no) + "</tr>\n";
  };
  return "<div class=scroll><table><tr><th>true<th>said yes<th>said no</tr>\n" +
         row("yes", yes_no.yes_right, yes_no.yes - yes_no.yes_right) +
         row("no", yes_no.no - yes_no.no_right, yes_no.no_right) + "</table></div>";
}

std::string ConfusionTable(const Tally& tally) {
  std::string html = "<div class=scroll><table><tr><th>true<th>said<th>times</tr>\n";
  for (const Confusion& one : tally.confusions) {
    html += "<tr><td>" + EscapeHtml(one.truth) + "<td>" + EscapeHtml(one.answer) + "<td>" + std::to_string(one.times) +
            "</tr>\n";
  }
  return html + "</table></div>";
}

std::string ReliabilityCurve(const Tally& tally, bool calibrated) {
  std::string html = "<svg role=img viewBox=\"0 0 " + Fixed(kWidth, 0) + " " + Fixed(kHeight, 0) + "\" width=\"" +
                     Fixed(kWidth, 0) +
                     "\" font-size=\"12\"><title>Share right over the "
                     "probability said</title>" +
                     Axes() + Curve(tally.before, "before");
  if (calibrated) html += Curve(tally.after, "after");
  html +=
      "</svg><p class=soft>On the dashed line a model is as right as it says. <span "
      "class=before>Red</span>: before "
      "calibration, expected calibration error " +
      Fixed(tally.before.ece, 4) + ".";
  if (calibrated) html += " <span class=after>Blue</span>: after, " + Fixed(tally.after.ece, 4) + ".";
  return html + " Yes/no questions, 15 bins; a dot's size is its share of them.</p>";
}

}  // namespace pawsight::evaluate
