#include "apps/interrupt.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "apps/commands.h"

namespace pawsight {
namespace {

sigset_t OurSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = OurSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::jthread([this](std::stop_token end) { Wait(end); });
}

Interrupt::~Interrupt() {
  thread_.request_stop();
  thread_.join();
  const sigset_t signals = OurSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void Interrupt::Wait(std::stop_token end) {
  const sigset_t signals = OurSignals();
  const timespec look = {0, 50'000'000};
  while (!end.stop_requested()) {
    if (sigtimedwait(&signals, nullptr, &look) < 0) continue;
    if (stop_.stop_requested()) _exit(kExitInterrupted);
    stop_.request_stop();
  }
}

}  // namespace pawsight
