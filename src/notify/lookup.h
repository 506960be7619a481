// notify/lookup.h: the addresses of a receiver's name, without waiting for them: a name server that hangs must hold up
// nobody else. Not here: whether they may be used (CheckAddresses). Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "notify/address.h"
#include "notify/url.h"

namespace pawsight::notify {

/// Blocks, for as long as the system likes; called from several threads.
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// Every address of the name. Errors: kUnavailable, none, or the name server did not say. kPermissionDenied
  /// `address_refused`, more than can be checked.
  virtual Result<std::vector<IpAddress>> Resolve(const std::string& name) = 0;
};

/// getaddrinfo. A name with more than 64 addresses is an error: all are to be checked.
class SystemResolver : public Resolver {
 public:
  Result<std::vector<IpAddress>> Resolve(const std::string& name) override;
};

struct LookupOptions {
  int threads = 8;            // names looked up at once, 1..64; started when needed
  int threads_an_owner = 2;   // of them for one owner: hanging names of one leave the others theirs
  size_t max_waiting = 1024;  // more are refused
};

class Lookup {
 public:
  Lookup(std::shared_ptr<Resolver> resolver, const LookupOptions& options);
  /// What waits ends with kCancelled. Does not wait for a name server: a thread that is in the resolver ends by itself.
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  /// Calls `done` exactly once: at once for an address, else on a lookup's thread. Never blocks.
  /// Errors: the resolver's. kResourceExhausted, max_waiting. kCancelled.
  using Done = std::function<void(Result<std::vector<IpAddress>>)>;
  void Find(const Host& host, const std::string& owner, Done done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pawsight::notify
