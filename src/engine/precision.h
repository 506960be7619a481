// engine/precision.h: the names of precisions and components, as flags, files and manifests spell them. Values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernels/narrow.h"

namespace pawsight::engine {

using kernels::Precision;

/// "fp32", "bf16", "int8".
std::string_view PrecisionName(Precision precision);
std::optional<Precision> ParsePrecision(std::string_view name);

/// What is compiled, versioned and replaced on its own.
enum class Component { kImageEncoder, kTextEncoder, kTextDecoder };
inline constexpr Component kComponents[] = {Component::kImageEncoder, Component::kTextEncoder, Component::kTextDecoder};
/// "image_encoder", "text_encoder", "text_decoder".
std::string_view ComponentName(Component component);
std::optional<Component> ParseComponent(std::string_view name);

}  // namespace pawsight::engine
