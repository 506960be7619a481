// rules/alert_codec.h: an alert's state as one line of text, so that a restart goes on with what was pending, firing or
// cooling down. Not here: where the text lies (events). Pure; thread-compatible.
//
// {"v":1,"meaning":"9f3c...","phase":"pending","fired":3,"seen":1700000000000000000,...}: times are nanoseconds since
// 1970, what is not there is left out, fields of a later writer are passed over. `meaning` is the rule's (rules/rule.h)
// when the state was written: a rule that was edited while nobody ran is then known to ask something else.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "rules/alert.h"
#include "rules/alert_update.h"

namespace pawsight::rules {

struct StoredState {
  AlertState state;
  uint64_t meaning = 0;
  std::string alert;  // id of the alert that fires, or of the last; at most 64 bytes
  Told told;          // of an alert that fires; else it says nothing
  friend bool operator==(const StoredState&, const StoredState&) = default;
};

std::string EncodeState(const StoredState& stored);
/// Errors: kInvalidArgument, not such a text, or a state that Advance never makes. kUnimplemented, a later version.
Result<StoredState> DecodeState(std::string_view text);

}  // namespace pawsight::rules
