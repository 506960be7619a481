// gateway/source_guard.h: where a camera that an owner names may not stand: at a link-local address (169.254/16,
// fe80::/10, also by way of NAT64 or 6to4), where clouds have their metadata services and where no camera of a home is
// reached through a router. What is private is a home's own network and may be. Not here: reading the rest of a URL
// (gateway/source.h).
//
// A name is judged by where it leads. Over HTTP that is asked of each address that is connected to, redirects included.
// ffmpeg looks names up itself, so before it is started its name is looked up here and every address of it must be
// fit; what that leaves open: a name that leads elsewhere a moment later, and a redirect that an RTSP server gives.
// Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/status.h"
#include "notify/lookup.h"

namespace pawsight::gateway {

/// The host of a URL with "://" as it is written, without user, port, brackets, zone and a last dot.
std::string HostOf(std::string_view url);

/// Also of 2852039166 and 0xa9.0xfe.1, as those read them who connect. A name is none.
bool IsLinkLocal(const std::string& host);
/// Of an address that is about to be connected to; one of another family than IP is none.
bool IsLinkLocal(const sockaddr* address);

/// OK when none of the name's addresses is link-local: ffmpeg may take any of them. Waits for the resolver, at most so
/// long or until `stop`. Errors: kPermissionDenied `address_refused`, one is, or there are too many to tell.
/// kUnavailable, the name was not found. kDeadlineExceeded. kCancelled, `stop`.
Status CheckLeadsNowhereLinkLocal(const std::string& host, const std::shared_ptr<notify::Resolver>& resolver,
                                  std::chrono::milliseconds at_most, const std::stop_token& stop);

}  // namespace pawsight::gateway
