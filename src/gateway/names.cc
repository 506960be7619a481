#include "gateway/names.h"

#include <utility>

#include "events/rows.h"

namespace pawsight::gateway {

void Names::SetWord(const std::string& rule, const std::string& word) {
  MutexLock lock(mu_);
  words_[rule] = word;
}

void Names::Learn(const Registry::Brought& brought) {
  MutexLock lock(mu_);
  Known now;
  for (const events::Camera& camera : brought.cameras) now.cameras[camera.id] = camera.name;
  for (const rules::Rule& rule : brought.rules) {
    const auto word = words_.find(rule.id);
    now.rules[rule.id] = {word == words_.end() ? rules::RuleIdFor(rule.question) : word->second, rule.question.text()};
  }
  OwnersKnown& known = owners_[brought.owner];
  known.before = std::exchange(known.now, std::move(now));
}

const Names::RuleName* Names::FindRule(const std::string& rule) const {
  for (const auto& [owner, known] : owners_) {
    for (const Known* each : {&known.now, &known.before}) {
      const auto found = each->rules.find(rule);
      if (found != each->rules.end()) return &found->second;
    }
  }
  return nullptr;
}

std::string Names::CameraOf(const std::string& camera) const {
  MutexLock lock(mu_);
  for (const auto& [owner, known] : owners_) {
    for (const Known* each : {&known.now, &known.before}) {
      const auto found = each->cameras.find(camera);
      if (found == each->cameras.end()) continue;
      return found->second.empty() || found->second.size() > events::kMaxIdBytes ? camera : found->second;
    }
  }
  return camera;
}

std::string Names::WordOf(const std::string& rule) const {
  MutexLock lock(mu_);
  const RuleName* const name = FindRule(rule);
  return name == nullptr ? rule : name->word;
}

std::string Names::QuestionOf(const std::string& rule) const {
  MutexLock lock(mu_);
  const RuleName* const name = FindRule(rule);
  return name == nullptr ? std::string() : name->question;
}

size_t Names::num_cameras() const {
  MutexLock lock(mu_);
  size_t count = 0;
  for (const auto& [owner, known] : owners_) count += known.now.cameras.size();
  return count;
}

}  // namespace pawsight::gateway
