// rpc/connection_guard.h: memory that gRPC does not bound: what a client makes it hold by calls that are begun and
// given up faster than they are cleared away (rapid reset), by streams beyond the number that it was told of and never
// acknowledged, by headers that do not end. Debian's gRPC has no limit on any of them and counts none in its quota, so
// the connection is cut that made the process hold too much. Not here: the limits that gRPC does keep
// (rpc/grpc_endpoint.h). Linux, glibc. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace pawsight::rpc {

/// A connection and what it has sent.
struct GuardedConnection {
  std::string peer;        // "127.0.0.1:51324"
  int socket = -1;         // gRPC's
  uint64_t received = 0;   // bytes, from the kernel
  uint64_t accounted = 0;  // of these, those of calls that have ended, or that a model has
};

/// What a connection has sent that no call accounts for that has ended or is bounded elsewhere: what memory may be held
/// for.
inline uint64_t Unaccounted(const GuardedConnection& connection) {
  return connection.received > connection.accounted ? connection.received - connection.accounted : 0;
}
/// An ended call's bytes: its message, and for headers, framing and TLS what they take of a client that has made its
/// first call: 60 bytes, and at most 31 in 8192. Not more, or a flood could hide behind calls that end. Who sends more
/// with each call (metadata of its own, TLS's records of small calls) drifts towards being cut when others flood; it
/// comes anew then, and has sent nothing.
inline uint64_t AccountFor(size_t message_bytes) { return message_bytes + message_bytes / 250 + 60; }

/// Two requests of 30 kB under way are less.
inline constexpr uint64_t kLeastUnaccounted = 64U << 10U;
/// Bytes that are held for one that was sent and ended in nothing, the most that was seen.
inline constexpr uint64_t kHeldForOne = 110;
/// What a connection may have sent that is no call: its beginning, an hour's PINGs.
inline constexpr uint64_t kLeastShared = 1U << 10U;

/// A connection's share of `limit` when so many share it, in bytes sent: as long as none has more unaccounted for, what
/// all make the process hold together is within the limit. kLeastShared to kLeastUnaccounted, so it is bounded up to
/// limit / 110 / 1 KiB connections (9,500 at 1 GiB).
uint64_t SharedFloor(size_t limit, size_t num_connections);

/// Which to cut when too much is held: the one with the most unaccounted for, and those with half of that or more; none
/// that has less than kLeastUnaccounted.
std::vector<size_t> ConnectionsToCut(std::span<const GuardedConnection> connections);

/// Which to cut, besides ConnectionsToCut's, when too much is held for long: many have each sent a little. A call that
/// is just being sent is unaccounted for as well, but of a client whose calls end there is a moment without one; so
/// those are cut that had the shared floor or more at each of kLooks looks on end. Thread-compatible.
class SteadyWatch {
 public:
  static constexpr int kLooks = 10;
  /// After the last of kLooks looks those to cut, and it begins anew; else none.
  std::vector<size_t> Look(std::span<const GuardedConnection> connections, size_t limit);
  void Reset() { looks_ = 0; }
  /// Between the first look and the last.
  bool looking() const { return looks_ > 0; }

 private:
  int looks_ = 0;
  std::unordered_map<std::string, uint64_t> least_;  // by peer; of those that were there at each look
};

/// Whom to cut at a look that finds too much held: ConnectionsToCut's, and again only when that has not helped within
/// kPatience; and whatever else is cut, SteadyWatch's, for one that sends much must not hide many that send a little.
/// Thread-compatible.
class CutPolicy {
 public:
  static constexpr std::chrono::milliseconds kPatience{1000};
  std::vector<size_t> Look(std::span<const GuardedConnection> connections, size_t limit, std::chrono::nanoseconds now);
  /// No longer too much.
  void Reset() { steady_.Reset(); }
  /// The last look chose nobody and none is under way that might.
  bool none_to_cut() const { return none_to_cut_; }

 private:
  SteadyWatch steady_;
  std::chrono::nanoseconds next_cut_{0};
  bool none_to_cut_ = false;
};

/// A thread that looks every kLook how much the process has allocated. Beyond `limit` more than at the start it cuts
/// the connections that CutPolicy says. One that is cut is reset; what it has sent
/// and was not read yet is thrown away. When there is none to cut it says so in the log, and the process grows:
/// something else than gRPC. A good client can be cut as well, when it is sending something long just then or its
/// metadata is much; it comes anew, and by then has sent less than who floods.
class ConnectionGuard {
 public:
  static constexpr std::chrono::milliseconds kLook{100};
  /// So often what a connection's calls account for is brought down to what it has sent, so that nobody saves up.
  static constexpr std::chrono::milliseconds kSettle{1000};

  /// `limit`: bytes beyond what is held now. `clock` outlives it.
  ConnectionGuard(size_t limit, const Clock& clock);
  ~ConnectionGuard();
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  /// From now on the connections that are accepted on `port` are watched. Once.
  void Start(int port);
  /// A model has a call of that connection, whose message had so many bytes; and has it no more. There are at most
  /// max_calls of them, so they are not what is looked for. Cost: a look-up under a mutex.
  void Began(const std::string& peer, size_t message_bytes) EXCLUDES(mu_);
  void Answered(const std::string& peer, size_t message_bytes) EXCLUDES(mu_);
  /// A call of that connection ended, whose message had so many bytes. Cost: a look-up under a mutex.
  void Ended(const std::string& peer, size_t message_bytes) EXCLUDES(mu_);
  uint64_t num_cut() const { return num_cut_; }

 private:
  void Watch() EXCLUDES(mu_);
  bool HoldsTooMuch() const;
  /// Those that there are; forgets the others, and what calls account for beyond what was sent.
  std::vector<GuardedConnection> Connections() EXCLUDES(mu_);
  void Cut(const std::vector<GuardedConnection>& connections, const std::vector<size_t>& chosen);

  int port_ = 0;  // never changes once the thread runs
  const size_t limit_;
  const Clock& clock_;
  const size_t resident_at_start_;
  const size_t allocated_at_start_;
  std::atomic<uint64_t> num_cut_{0};
  CutPolicy policy_;  // the thread's
  Mutex mu_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::unordered_map<std::string, uint64_t> accounted_ GUARDED_BY(mu_);
  std::unordered_map<std::string, uint64_t> at_models_ GUARDED_BY(mu_);  // none is 0
  std::thread thread_;
};

}  // namespace pawsight::rpc
