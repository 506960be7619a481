// evaluate/page.h: one self-contained HTML page about what a model answered: accuracy beside blind baselines,
// confusions, the calibration curve, and a contact sheet of wrong and right answers. No script, nothing from outside;
// readable on a phone. Pure; thread-safe. All text is escaped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/calibration.h"
#include "evaluate/observe.h"
#include "evaluate/tally.h"

namespace pawsight::evaluate {

struct PageInput {
  std::string model;  // a name for a person
  std::string when;   // a date for a person
  bool calibrated = false;
  std::optional<engine::UnsureBand> unsure;
  const std::vector<Observed>* sets = nullptr;  // with known answers
  const std::vector<Tally>* tallies = nullptr;  // one a set, in the same order
  const Observed* unknown = nullptr;            // may be null
  std::optional<UnknownTally> unknown_tally;
  int most_wrong = 60;  // pictures in the contact sheet, a set
  int most_right = 24;
  uint64_t seed = 1;  // which of them
};

/// The page. Cost: memory of the pictures shown, about 5 kB each.
std::string MakePage(const PageInput& input);

/// `text` with the characters that mean something in HTML replaced.
std::string EscapeHtml(std::string_view text);

}  // namespace pawsight::evaluate
