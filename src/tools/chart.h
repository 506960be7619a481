// tools/chart.h: charts as inline SVG for the report (tools/stress_report.h): lines over names or over numbers, both
// axes with round ticks, colours by CSS variables so that they follow light and dark. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pawsight::tools {

struct ChartLine {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x, y
  bool dashed = false;
};

struct Chart {
  std::string title, x_label, y_label;
  std::vector<std::string> names;                // of x = 0, 1, 2..; empty: x is a number
  std::vector<ChartLine> lines;                  // at most 8 colours, then again
  std::vector<double> gaps;                      // at these x a line begins anew
  std::vector<std::pair<double, double>> marks;  // rings around points that matter
  std::string mark_name;
  double limit = 0;  // a dashed line across at this y, 0: none
  std::string limit_name;
};

/// 860 by 380 units, in a `div class=scroll` for where that is too wide to be read, and a legend below; "" when no line
/// has a point.
std::string DrawChart(const Chart& chart);

/// `text` with the characters that mean something in HTML replaced.
std::string EscapeMarkup(const std::string& text);

}  // namespace pawsight::tools
