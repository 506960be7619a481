// tools/stress_table.h: a result as text for a terminal and as CSV. Pure.
#pragma once

#include <string>

#include "tools/stress_result.h"

namespace pawsight::tools {

/// What the path of a gateway's frames ("camera", "wait") is, in words.
std::string PathText(const std::string& path);

/// That cells were limited by the change gate, and the remedy; "" when none was.
std::string GateText(const StressResult& result);

std::string CellHeading();
/// One line a cell; "client!" at its end: the load was what was saturated. "gate!": the change gate was the limit.
std::string CellRow(const StressCell& cell);
/// The laws, the advice and what its checks said.
std::string Advice(const StressResult& result);
/// A heading and a line a cell.
std::string CellsCsv(const StressResult& result);

}  // namespace pawsight::tools
