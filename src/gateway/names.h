// gateway/names.h: what cameras and rules are called, for people who read lines and events: ids mean nothing to them.
// Learns from the registry. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "base/mutex.h"
#include "gateway/api/registry.h"

namespace pawsight::gateway {

class Names {
 public:
  /// What a rule's writer calls it ("door"), before it is learned. Without one a rule is called after its question, as
  /// rules::RuleIdFor.
  void SetWord(const std::string& rule, const std::string& word) EXCLUDES(mu_);
  /// Registry::Listener: all that an owner has. What is gone is still known until the next time, because its last
  /// alerts are told meanwhile.
  void Learn(const Registry::Brought& brought) EXCLUDES(mu_);

  /// The id when it is not known, or its name is longer than an event takes (events::kMaxIdBytes).
  std::string CameraOf(const std::string& camera) const EXCLUDES(mu_);
  /// "is-the-dog-on-the-couch"; likewise.
  std::string WordOf(const std::string& rule) const EXCLUDES(mu_);
  /// "Is the dog on the couch?"; empty when it is not known.
  std::string QuestionOf(const std::string& rule) const EXCLUDES(mu_);
  /// Of all owners, now.
  size_t num_cameras() const EXCLUDES(mu_);

 private:
  struct RuleName {
    std::string word, question;
  };
  struct Known {
    std::map<std::string, std::string> cameras;
    std::map<std::string, RuleName> rules;
  };
  struct OwnersKnown {
    Known now, before;
  };
  const RuleName* FindRule(const std::string& rule) const REQUIRES(mu_);

  mutable Mutex mu_;
  std::map<std::string, std::string> words_ GUARDED_BY(mu_);  // by rule
  std::map<std::string, OwnersKnown> owners_ GUARDED_BY(mu_);
};

}  // namespace pawsight::gateway
