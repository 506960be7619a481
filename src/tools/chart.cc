#include "tools/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pawsight::tools {
namespace {

constexpr double kWidth = 860, kHeight = 380, kLeft = 64, kTop = 16, kPlotWidth = 780, kPlotHeight = 290;
constexpr size_t kColors = 8;
constexpr size_t kMostNames = 24;  // more are thinned out

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string Units(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

/// 1, 2 or 5 times a power of ten, so that about five steps reach `most`.
double Step(double most) {
  const double rough = most / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart) {
    double x = 0;
    double y = chart.limit;
    for (const ChartLine& line : chart.lines) {
      for (const auto& [px, py] : line.points) {
        x = std::max(x, px);
        y = std::max(y, py);
        ++num_points_;
      }
    }
    y_step_ = Step(std::max(y, 1e-9));
    y_most_ = y_step_ * std::max(1.0, std::ceil(y / y_step_));
    x_step_ = Step(std::max(x, 1e-9));
    x_most_ = chart.names.empty() ? x_step_ * std::max(1.0, std::ceil(x / x_step_))
                                  : std::max(1.0, static_cast<double>(chart.names.size()) - 1);
  }

  std::string Draw() const {
    if (num_points_ == 0) return "";
    std::string svg = "<figure><figcaption>" + EscapeMarkup(chart_.title) +
                      "</figcaption><div class=scroll><svg role=img viewBox=\"0 0 " + Number(kWidth) + " " +
                      Number(kHeight) + "\"><title>" + EscapeMarkup(chart_.title) + "</title>";
    svg += Axes() + Limit();
    for (size_t i = 0; i < chart_.lines.size(); ++i) svg += Line(i);
    for (const auto& [x, y] : chart_.marks) {
      svg += "<circle class=mark cx=\"" + Units(X(x)) + "\" cy=\"" + Units(Y(y)) + "\" r=\"9\"/>";
    }
    return svg + "</svg></div>" + Legend() + "</figure>\n";
  }

 private:
  double X(double x) const {
    const double margin = chart_.names.empty() ? 0 : 18;  // names stand under their points
    return kLeft + margin + (kPlotWidth - 2 * margin) * x / x_most_;
  }
  double Y(double y) const { return kTop + kPlotHeight * (1 - y / y_most_); }

  static std::string Text(double x, double y, const char* anchor, const std::string& text) {
    return "<text x=\"" + Units(x) + "\" y=\"" + Units(y) + "\" text-anchor=\"" + anchor + "\">" + EscapeMarkup(text) +
           "</text>";
  }

  std::string Axes() const {
    std::string svg;
    for (double y = 0; y <= y_most_ * 1.0001; y += y_step_) {
      svg += "<path class=grid d=\"M" + Units(kLeft) + "," + Units(Y(y)) + " h" + Units(kPlotWidth) + "\"/>" +
             Text(kLeft - 8, Y(y) + 4, "end", Number(y));
    }
    if (chart_.names.empty()) {
      for (double x = 0; x <= x_most_ * 1.0001; x += x_step_) {
        svg += Text(X(x), kTop + kPlotHeight + 20, "middle", Number(x));
      }
    } else {
      const size_t every = chart_.names.size() / kMostNames + 1;
      for (size_t i = 0; i < chart_.names.size(); i += every) {
        svg += Text(X(static_cast<double>(i)), kTop + kPlotHeight + 20, "middle", chart_.names[i]);
      }
    }
    return svg + Text(kLeft + kPlotWidth / 2, kHeight - 26, "middle", chart_.x_label) +
           "<text transform=\"translate(15 " + Units(kTop + kPlotHeight / 2) +
           ") rotate(-90)\" text-anchor=\"middle\">" + EscapeMarkup(chart_.y_label) + "</text>";
  }

  std::string Limit() const {
    if (chart_.limit <= 0) return "";
    return "<path class=limit d=\"M" + Units(kLeft) + "," + Units(Y(chart_.limit)) + " h" + Units(kPlotWidth) + "\"/>" +
           Text(kLeft + kPlotWidth, Y(chart_.limit) - 6, "end", chart_.limit_name);
  }

  std::string Line(size_t index) const {
    const ChartLine& line = chart_.lines[index];
    const std::string color = "c" + std::to_string(index % kColors);
    std::string points;
    std::string dots;
    const std::string start = "<polyline class=\"" + color + (line.dashed ? " dashed" : "") + "\" points=\"";
    for (const auto& [x, y] : line.points) {
      if (std::ranges::find(chart_.gaps, x) != chart_.gaps.end()) points += "\"/>" + start;
      points += Units(X(x)) + "," + Units(Y(y)) + " ";
      if (line.dashed) continue;
      dots += "<circle class=\"dot " + color + "\" cx=\"" + Units(X(x)) + "\" cy=\"" + Units(Y(y)) +
              "\" r=\"3.5\"><title>" + EscapeMarkup(line.name) + ": " + Number(y) + "</title></circle>";
    }
    return start + points + "\"/>" + dots;
  }

  std::string Legend() const {
    std::string html = "<p class=legend>";
    for (size_t i = 0; i < chart_.lines.size(); ++i) {
      html +=
          "<span class=k" + std::to_string(i % kColors) + ">&#9632; " + EscapeMarkup(chart_.lines[i].name) + "</span> ";
    }
    if (!chart_.marks.empty()) html += "<span>&#9711; " + EscapeMarkup(chart_.mark_name) + "</span>";
    return html + "</p>";
  }

  const Chart& chart_;
  size_t num_points_ = 0;
  double x_most_ = 1, y_most_ = 1, x_step_ = 1, y_step_ = 1;
};

}  // namespace

std::string DrawChart(const Chart& chart) { return Drawing(chart).Draw(); }

std::string EscapeMarkup(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace pawsight::tools
