#include "apps/receiver_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "notify/seal_store.h"

namespace pawsight {
namespace {

constexpr size_t kMaxKeyFileBytes = 16384;

notify::SecretKeys Unusable(const std::string& path, const std::string& why) {
  LogError("receiver_keys_unusable", {{"file", path}, {"reason", why}, {"so", "receivers with secrets are not told"}});
  return notify::SecretKeys::Unusable(DataLoss("the gateway's key file cannot be used", "receiver_keys"));
}

}  // namespace

Status CheckSecretFile(const std::string& setting, const std::string& path, bool open_secrets) {
  if (path.empty()) return Ok();
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return NotFound(setting + ": " + path + " cannot be read");
  if ((status.st_mode & S_IROTH) == 0 || open_secrets) return Ok();
  return FailedPrecondition(setting + ": everybody may read " + path + "; chmod o-r it, or set open-secrets",
                            "open_secret");
}

Status WriteSecret(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  (void)unlink(beside.c_str());  // of a start that was cut short
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Unavailable(beside + " cannot be made");
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  if (!written || rename(beside.c_str(), path.c_str()) != 0) return Unavailable(path + " cannot be written");
  SyncDirectoryOf(path);
  return Ok();
}

Result<notify::SecretKeys> OpenReceiverKeys(const std::string& path, bool open_secrets, const events::Store& store) {
  if (!FileExists(path)) {
    PAWSIGHT_ASSIGN_OR_RETURN(const bool sealed, notify::HasSealedSecrets(store));
    if (sealed) {
      return Unusable(path,
                      "it is not there, and the store has secrets sealed under its keys; put it back, or a new one"
                      " (openssl rand -base64 32) and give the receivers new secrets");
    }
    PAWSIGHT_ASSIGN_OR_RETURN(notify::SecretKeys made, notify::SecretKeys::Make());
    PAWSIGHT_RETURN_IF_ERROR(WriteSecret(path, made.Text()));
    LogInfo("receiver_key_made", {{"file", path}, {"so", "keep a copy of it apart from the store's"}});
    return made;
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckSecretFile("receiver-keys", path, open_secrets));
  const Result<std::string> text = ReadTextFile(path, kMaxKeyFileBytes);
  Result<notify::SecretKeys> keys =
      text.ok() ? notify::SecretKeys::Parse(*text) : Result<notify::SecretKeys>(text.status());
  if (keys.ok()) return keys;
  return Unusable(path, keys.status().message());
}

}  // namespace pawsight
