// gateway/path/reconcile.h: an owner changed rules or cameras: what becomes of the states that one camera's rules have
// (rules/alert.h says why). Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/path/mailbox.h"

namespace pawsight::gateway {

/// Whether an edit touches what is remembered of the camera: another rule looks through it than before, one means
/// something else, or one that sleeps is gone. Then Reconcile has work; else its states stand as they are under `view`.
bool IsConcerned(const Camera::InTurn& turn, const OwnerView& view, const std::string& camera);

/// An alert that ends because of the change.
struct Closing {
  std::string cause;                  // AlertNotice::cause
  const rules::Rule* rule = nullptr;  // as it was, in the view before or the new one; null when neither has it
  rules::AlertState before;
  RuleState after;  // to be written, also of a rule that is gone: should it come back, this alert does not
};

struct Reconciled {
  Camera::InTurn turn;  // without the gate
  std::vector<Closing> closings;
  std::vector<size_t> changed;  // indices into turn.states whose text must be written anew
};

/// `removed`: the camera is no more. Rules of `view` that are enabled and select the camera get a state, the first
/// rules::kMaxRules of them; states of other rules of the view sleep, those of rules that are gone are gone.
Reconciled Reconcile(const Camera::InTurn& before, std::vector<RuleState> restored,
                     const std::shared_ptr<const OwnerView>& view, const std::string& camera, bool removed, Time now);

}  // namespace pawsight::gateway
