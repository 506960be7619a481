// kernels/team.h: a fixed team of threads that runs one forward pass together. Not a task queue: Run gives every member
// the same function and returns when all are done. Members spin for some 20 to 45 microseconds, then sleep, so a team
// beside other work on a full machine does not burn the time slices of the thread that it waits for. Used by one thread
// at a time (the one that calls Run is member 0). Allocates at construction only.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace pawsight::kernels {

/// A callable by reference: two pointers, so passing one allocates nothing. The callable outlives the call it is given
/// to.
template <typename Signature>
class Work;
template <typename... Arguments>
class Work<void(Arguments...)> {
 public:
  template <typename Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, Work>)
      Work(const Callable& callable)  // NOLINT(google-explicit-constructor): a lambda is what callers write
      : callable_(&callable), call_([](const void* c, Arguments... arguments) {
          (*static_cast<const Callable*>(c))(std::forward<Arguments>(arguments)...);
        }) {}
  void operator()(Arguments... arguments) const { call_(callable_, std::forward<Arguments>(arguments)...); }

 private:
  const void* callable_;
  void (*call_)(const void*, Arguments...);
};

/// Where a team's threads run.
struct TeamPlacement {
  int first_core = -1;  // member m > 0 stays on core first_core + m; -1: wherever the system puts it
};

class Team {
 public:
  /// `size` members, 1..256; size - 1 threads are started, named "team". A core that does not exist is ignored.
  explicit Team(int size, TeamPlacement placement = {});
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const;

  /// Calls work(0) ... work(size - 1), each on its own member, and waits for all. No lock is held during the calls.
  void Run(Work<void(int member)> work);

  /// Calls work(item, member) for every item in [0, num_items), handed out in order, one at a time, to whoever is free.
  void ForEach(int num_items, Work<void(int item, int member)> work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pawsight::kernels
