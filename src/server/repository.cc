#include "server/repository.h"

#include <algorithm>
#include <utility>

namespace pawsight::server {
namespace {

/// A name as an error says it: not more than a line of what a caller sent, which gRPC's trailers would not hold.
std::string Shown(std::string_view name) {
  constexpr size_t kShownBytes = 64;
  return std::string(name.substr(0, kShownBytes)) + (name.size() > kShownBytes ? "..." : "");
}

}  // namespace

std::shared_ptr<const Repository::Models> Repository::Snapshot() const {
  MutexLock lock(mu_);
  return models_;
}

void Repository::Put(std::shared_ptr<Model> model) {
  CHECK(model != nullptr && !model->Metadata().versions.empty());
  std::shared_ptr<const Models> old;  // dies outside the lock, and a model with it
  MutexLock lock(mu_);
  auto next = std::make_shared<Models>(*models_);
  (*next)[model->Metadata().name] = std::move(model);
  old = std::exchange(models_, std::move(next));
}

void Repository::Remove(std::string_view name) {
  std::shared_ptr<const Models> old;
  MutexLock lock(mu_);
  auto next = std::make_shared<Models>(*models_);
  if (const auto found = next->find(name); found != next->end()) next->erase(found);
  old = std::exchange(models_, std::move(next));
}

Result<std::shared_ptr<Model>> Repository::Find(std::string_view name, std::string_view version) const {
  const std::shared_ptr<const Models> models = Snapshot();
  const auto found = models->find(name);
  if (found == models->end()) return NotFound("no model '" + Shown(name) + "'", "model_unknown");
  const std::vector<std::string>& versions = found->second->Metadata().versions;
  if (!version.empty() && std::find(versions.begin(), versions.end(), version) == versions.end()) {
    return NotFound("model '" + Shown(name) + "' has no version '" + Shown(version) + "', but " + versions.front(),
                    "version_unknown");
  }
  return found->second;
}

std::vector<std::shared_ptr<Model>> Repository::List() const {
  std::vector<std::shared_ptr<Model>> list;
  for (const auto& [name, model] : *Snapshot()) list.push_back(model);
  return list;
}

bool Repository::Ready() const {
  std::shared_ptr<const Models> models;
  {
    MutexLock lock(mu_);
    if (leaving_) return false;
    models = models_;
  }
  return !models->empty() &&
         std::all_of(models->begin(), models->end(), [](const auto& entry) { return entry.second->Ready(); });
}

void Repository::Leave() {
  MutexLock lock(mu_);
  leaving_ = true;
}

}  // namespace pawsight::server
