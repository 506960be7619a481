// client/io_thread.h: the thread on which clients' sockets live. Thread-safe.
#pragma once

#include <memory>

namespace boost::asio {
class io_context;
}

namespace pawsight::client {

class IoThread {
 public:
  IoThread();
  /// Waits until what runs on it has ended: every client of it is destroyed by then. Not from this thread itself.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// For this folder's .cc files.
  boost::asio::io_context& context();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight::client
