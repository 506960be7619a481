// engine/compile/pack.h: packs one component of a checkpoint into an artifact: weights laid out for the kernels, in the
// precision asked for. Thread-safe: functions without state.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "engine/artifact.h"
#include "engine/compile/artifact_writer.h"
#include "engine/weights.h"

namespace pawsight::engine {

/// Told after each entry how many bytes of the checkpoint's floats have been packed.
using PackProgress = std::function<void(uint64_t float_bytes)>;

/// The precision in which a layer of a component is kept: the component's, but for those that measurement showed to be
/// sensitive (docs/performance.md).
Precision LayerPrecision(Precision component, std::string_view entry);

/// Packs `info.component` of weights that CheckWeights has accepted, and finishes `writer`. info.config is filled in by
/// the caller and parses. Cost: one pass over the component's weights; memory of its largest layer, twice.
/// Errors: those of Weights::ReadFloats and of the writer.
Result<Artifact> PackComponent(const Weights& weights, const ArtifactInfo& info, ArtifactWriter writer,
                               const PackProgress& progress = {});

}  // namespace pawsight::engine
