// server/repository.h: the models a server has, by name. A model can be swapped while requests run: whoever found the
// old one keeps it until done. Not here: loading (the app), running (server/model.h). Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "server/model.h"

namespace pawsight::server {

class Repository {
 public:
  /// Adds the model, or puts it in the place of the one with its name.
  void Put(std::shared_ptr<Model> model) EXCLUDES(mu_);
  /// Takes it out; the requests that have it end as they would. No such name: nothing.
  void Remove(std::string_view name) EXCLUDES(mu_);

  /// `version` "" is any. Errors: kNotFound, no such model, or not in that version.
  Result<std::shared_ptr<Model>> Find(std::string_view name, std::string_view version) const EXCLUDES(mu_);
  /// By name.
  std::vector<std::shared_ptr<Model>> List() const EXCLUDES(mu_);

  /// There is a model, all are ready, and the server is not leaving.
  bool Ready() const EXCLUDES(mu_);
  /// From now on not ready, so that no new client is sent here; requests are answered all the same.
  void Leave() EXCLUDES(mu_);

 private:
  using Models = std::map<std::string, std::shared_ptr<Model>, std::less<>>;
  std::shared_ptr<const Models> Snapshot() const EXCLUDES(mu_);

  mutable Mutex mu_;
  std::shared_ptr<const Models> models_ GUARDED_BY(mu_) = std::make_shared<const Models>();
  bool leaving_ GUARDED_BY(mu_) = false;
};

}  // namespace pawsight::server
