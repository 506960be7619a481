// apps/score_tables.h: what `pawsight model score` prints of a set: tables for a person, or JSON lines. To standard
// output.
#pragma once

#include "evaluate/observe.h"
#include "evaluate/tally.h"

namespace pawsight {

void PrintTally(const evaluate::Observed& observed, const evaluate::Tally& tally, bool json);
void PrintUnknownTally(const evaluate::UnknownTally& tally, bool json);

}  // namespace pawsight
