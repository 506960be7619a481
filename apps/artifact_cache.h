// apps/artifact_cache.h: a model directory's artifacts, compiled once for this user and found again: what `ask`,
// `watch`, `demo` and `bench` do when they are given no artifacts. Entries lie under $XDG_CACHE_HOME/pawsight/artifacts
// (~/.cache when that is not set), one a model and precision; the kMaxEntries used last are kept. Used by one thread.
#pragma once

#include <string>

#include "base/status.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight {

/// $XDG_CACHE_HOME/pawsight, or under the home directory. Errors: kUnavailable, neither is known.
Result<std::string> CacheDir();

/// The directory of the model's artifacts, compiled when they are not there, with a line on standard error that says
/// so. Errors: those of targets::CompileForCpu, CacheDir and engine::FolderStamp; kUnavailable, the cache cannot be
/// written.
Result<std::string> CachedArtifacts(const std::string& model_dir, engine::Precision precision,
                                    const targets::CpuOptions& options);

}  // namespace pawsight
