// apps/receiver_keys.h: the file of the keys that receivers' secrets are sealed with (notify/seal.h).
#pragma once

#include <string>

#include "base/status.h"
#include "events/store.h"
#include "notify/seal.h"

namespace pawsight {

/// The keys in `path`; when there is no such file, a new one with a new key, for this user only. A file that cannot be
/// read or is none gives keys that seal and open nothing, and a line in the log: what needs no secret goes on. So does
/// one that is not there although `store` has secrets that are sealed: it is elsewhere or lost, and a new key would hide
/// that. What these keys say is shown to owners, so it has no path. Errors: kFailedPrecondition `open_secret`, everybody
/// may read it (and not `open_secrets`); kUnavailable, it cannot be made; the store's.
Result<notify::SecretKeys> OpenReceiverKeys(const std::string& path, bool open_secrets, const events::Store& store);

/// A secret in a file: readable by this user only from its first byte on, whole or not there. Errors: kUnavailable.
Status WriteSecret(const std::string& path, const std::string& text);
/// A secret that everybody on the machine may read is none. Errors, naming the setting: kNotFound; kFailedPrecondition
/// `open_secret`.
Status CheckSecretFile(const std::string& setting, const std::string& path, bool open_secrets);

}  // namespace pawsight
