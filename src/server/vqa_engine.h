// server/vqa_engine.h: a server::Engine over engine::Vqa, which is whatever target executes the model. Thread-safe.
#pragma once

#include <memory>

#include "engine/vqa.h"
#include "frames/decode.h"
#include "frames/normalize.h"
#include "server/engine.h"

namespace pawsight::server {

/// How the model of `config` wants its pixels: steps that it leaves out change nothing.
frames::Normalization NormalizationOf(const engine::PreprocessConfig& config);

/// Frames are looked at one after another (a target here is no faster with several at once), questions about different
/// frames are asked in one batch, so that the text side's weights are read once for all of them. Images are limited as
/// `limits` say and come to the model as Pillow would resize them, to the bit unless `fidelity` is kFast.
std::unique_ptr<Engine> MakeVqaEngine(engine::Vqa vqa, const frames::DecodeLimits& limits = {},
                                      frames::Fidelity fidelity = frames::Fidelity::kExact);

}  // namespace pawsight::server
