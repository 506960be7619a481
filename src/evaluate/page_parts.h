// evaluate/page_parts.h: the tables and the curve of the page (page.h), each a piece of HTML. Pure; thread-safe.
#pragma once

#include <string>

#include "evaluate/tally.h"

namespace pawsight::evaluate {

/// "0.123": `digits` after the point.
std::string Fixed(double value, int digits);

/// Rows of the summary: yes/no, counts, other words, all.
std::string GroupRows(const Tally& tally);
std::string FamilyTable(const Tally& tally);
/// The true answer against the one given.
std::string YesNoTable(const Counts& yes_no);
std::string ConfusionTable(const Tally& tally);
/// Inline SVG: the share right over the probability said, before and after calibration.
std::string ReliabilityCurve(const Tally& tally, bool calibrated);

}  // namespace pawsight::evaluate
