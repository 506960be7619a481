// notify/seal_store.h: brings the receivers' secrets of a store under the newest key: what an older program left
// unsealed, what an older key has sealed. At start, before anything is delivered. Thread-compatible.
#pragma once

#include <cstddef>

#include "base/status.h"
#include "events/store.h"
#include "notify/seal.h"

namespace pawsight::notify {

struct SealReport {
  size_t num_unsealed = 0;  // lay in clear and are sealed now; their bytes are gone from the file and its log
  size_t num_resealed = 0;  // were under an older key
  size_t num_broken = 0;    // do not open: their receivers' `reason` says so, and their messages wait
};

/// Blocks for commits, one for some hundred receivers. A receiver whose secret opens again loses such a reason.
/// Errors: the store's.
Result<SealReport> SealReceivers(events::Store& store, const SecretKeys& keys);

/// Some receiver's secret lies sealed: without the keys that are, a new one opens none of it. Reads the store, to the
/// first such secret. Errors: the store's.
Result<bool> HasSealedSecrets(const events::Store& store);

}  // namespace pawsight::notify
