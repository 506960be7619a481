#include "gateway/source_guard.h"

#include <arpa/inet.h>

#include <optional>
#include <vector>

#include "base/mutex.h"
#include "notify/address.h"

namespace pawsight::gateway {
namespace {

using Addresses = Result<std::vector<notify::IpAddress>>;

constexpr std::chrono::milliseconds kStopLook{100};

bool StandsLinkLocal(const Result<notify::IpAddress>& address) {
  if (!address.ok()) return false;
  return notify::Classify(notify::CarriedV4(*address).value_or(*address)) == notify::AddressKind::kLinkLocal;
}

/// Where the answer comes, also when nobody waits any more.
struct Answer {
  Mutex mu;
  CondVar came;
  std::optional<Addresses> addresses GUARDED_BY(mu);
};

/// nullopt: it did not come in time.
std::optional<Addresses> Await(Answer& answer, std::chrono::milliseconds at_most, const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + at_most;
  MutexLock lock(answer.mu);
  while (!answer.addresses) {
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= until) return std::nullopt;
    answer.came.WaitFor(answer.mu, kStopLook);
  }
  return answer.addresses;
}

}  // namespace

std::string HostOf(std::string_view url) {
  std::string_view host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const size_t user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
    return std::string(host.substr(0, host.find('%')));
  }
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return std::string(host);
}

bool IsLinkLocal(const std::string& host) {
  in_addr loose{};
  return StandsLinkLocal(inet_aton(host.c_str(), &loose) != 0 ? notify::IpAddress::V4(ntohl(loose.s_addr))
                                                              : notify::IpAddress::Parse(host));
}

bool IsLinkLocal(const sockaddr* address) { return StandsLinkLocal(notify::IpAddress::FromSockaddr(address)); }

Status CheckLeadsNowhereLinkLocal(const std::string& host, const std::shared_ptr<notify::Resolver>& resolver,
                                  std::chrono::milliseconds at_most, const std::stop_token& stop) {
  const auto answer = std::make_shared<Answer>();
  notify::Lookup lookup(resolver, {.threads = 1});
  lookup.Find({host, false}, "", [answer](Addresses addresses) {
    MutexLock lock(answer->mu);
    answer->addresses = std::move(addresses);
    answer->came.NotifyAll();
  });
  const std::optional<Addresses> came = Await(*answer, at_most, stop);
  if (stop.stop_requested()) return Cancelled("stopped");
  if (!came) return DeadlineExceeded("the camera's name was not looked up in time");
  if (came->status().code() == StatusCode::kUnavailable) return Unavailable("the camera's name was not found");
  if (!came->ok()) return came->status();
  for (const notify::IpAddress& address : **came) {
    if (StandsLinkLocal(address))
      return PermissionDenied("the camera's name leads to a link-local address", "address_refused");
  }
  return Ok();
}

}  // namespace pawsight::gateway
