// net/http_responder.h: the promise of one response, kept now or later from any thread. Thread-safe; copies are the
// same promise. When the last copy goes without a response, the client gets 500.
#pragma once

#include <memory>
#include <stop_token>
#include <utility>

#include "net/http.h"

namespace pawsight::net {

class HttpResponder {
 public:
  /// What a server puts behind it.
  class Slot {
   public:
    virtual ~Slot() = default;
    virtual void Respond(HttpResponse response) = 0;
    virtual std::stop_token Gone() const = 0;
  };
  explicit HttpResponder(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}

  /// Once (CHECK). To a client that has gone, or a server that has stopped, it does nothing.
  void Respond(HttpResponse response) const { slot_->Respond(std::move(response)); }
  /// Stop is requested, on the connection's thread, as soon as the client closes its end or its connection breaks; a
  /// response is still wanted, so that the connection's slot is free again.
  std::stop_token gone() const { return slot_->Gone(); }

 private:
  std::shared_ptr<Slot> slot_;
};

}  // namespace pawsight::net
