// kernels/team.h: a fixed team of threads that runs one forward pass together. Not a task queue: Run gives every member
// the same function and returns when all are done. Members spin for a few microseconds, then sleep, so a team beside
// other work on a full machine does not burn the time slices of the thread that it waits for. Used by one thread at a
// time (the one that calls Run is member 0). Allocates at construction only.
#pragma once

#include <functional>
#include <memory>

namespace pawsight::kernels {

class Team {
 public:
  /// `size` members, 1..256; size - 1 threads are started, named "team".
  explicit Team(int size);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const;

  /// Calls work(0) ... work(size - 1), each on its own member, and waits for all. No lock is held during the calls.
  void Run(const std::function<void(int member)>& work);

  /// Calls work(item, member) for every item in [0, num_items), handed out in order, one at a time, to whoever is free.
  void ForEach(int num_items, const std::function<void(int item, int member)>& work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pawsight::kernels
