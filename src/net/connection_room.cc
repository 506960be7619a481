#include "net/connection_room.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace pawsight::net {

Result<int> FitConnections(int wanted, bool chosen, size_t descriptors, size_t others) {
  CHECK(wanted >= 1);
  const size_t room = std::max<size_t>(descriptors, others + 1) - others;
  if (static_cast<size_t>(wanted) <= room) return wanted;
  if (!chosen) return static_cast<int>(room);
  return FailedPrecondition("max-connections: " + std::to_string(wanted) + " do not fit: this process may have " +
                                std::to_string(descriptors) + " descriptors open, of which " + std::to_string(room) +
                                " are for connections; allow it " +
                                std::to_string(static_cast<size_t>(wanted) + others) +
                                " (LimitNOFILE= of its systemd unit, or ulimit -n), or want fewer",
                            "descriptors");
}

}  // namespace pawsight::net
