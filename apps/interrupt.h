// apps/interrupt.h: Ctrl-C (SIGINT) and SIGTERM as a stop request. The first asks commands to end cleanly, the second
// ends the process at once. Make it first in a command, before any thread is started: threads made later leave these
// signals to it. One at a time in a process.
#pragma once

#include <stop_token>
#include <thread>

namespace pawsight {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }
  bool interrupted() const { return stop_.stop_requested(); }

 private:
  void Wait(std::stop_token end);

  std::stop_source stop_;
  std::jthread thread_;
};

}  // namespace pawsight
