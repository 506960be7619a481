// apps/receiver_keys.h: the file of the keys that receivers' secrets are sealed with (notify/seal.h).
#pragma once

#include <string>

#include "base/status.h"
#include "notify/seal.h"

namespace pawsight {

/// The keys in `path`; when there is no such file, a new one with a new key, for this user only. A file that cannot be
/// read or is none gives keys that seal and open nothing, and a line in the log: what needs no secret goes on. Errors:
/// kFailedPrecondition `open_secret`, everybody may read it (and not `open_secrets`); kUnavailable, it cannot be made.
Result<notify::SecretKeys> OpenReceiverKeys(const std::string& path, bool open_secrets);

/// A secret in a file: readable by this user only from its first byte on, whole or not there. Errors: kUnavailable.
Status WriteSecret(const std::string& path, const std::string& text);
/// A secret that everybody on the machine may read is none. Errors, naming the setting: kNotFound; kFailedPrecondition
/// `open_secret`.
Status CheckSecretFile(const std::string& setting, const std::string& path, bool open_secrets);

}  // namespace pawsight
