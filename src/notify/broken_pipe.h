// notify/broken_pipe.h: libraries that write to sockets which the other end has closed raise SIGPIPE, whose default
// ends the process. For this folder's threads; thread-safe.
#pragma once

#include <pthread.h>

#include <csignal>

namespace pawsight::notify {

/// The calling thread is not told of broken pipes; its writes fail with EPIPE all the same.
inline void BlockBrokenPipes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace pawsight::notify
