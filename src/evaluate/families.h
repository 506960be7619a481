// evaluate/families.h: which kind of question a plain question is, told by its words alone, whoever worded it. For
// tables of accuracy and for a calibration's temperatures. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/calibration.h"

namespace pawsight::evaluate {

/// A kind of yes/no question and the words that tell it.
struct YesNoFamily {
  std::string name;
  engine::WordPattern words;
};

/// In order: the first that holds is the question's. What none holds for is "other".
const std::vector<YesNoFamily>& YesNoFamilies();

/// "dog present", "cat present", "person", "pet present", "count", "which animal", "where", "doing", "on a place",
/// "sleeping", "by the window", "room empty", "couch"..., "indoors", "other". Questions that begin with how, what,
/// which or where are never of a yes/no family.
std::string FamilyOf(std::string_view question);

}  // namespace pawsight::evaluate
