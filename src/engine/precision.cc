#include "engine/precision.h"

namespace pawsight::engine {

std::string_view PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
  }
  return "";
}

std::optional<Precision> ParsePrecision(std::string_view name) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    if (name == PrecisionName(precision)) return precision;
  }
  return std::nullopt;
}

std::string_view ComponentName(Component component) {
  switch (component) {
    case Component::kImageEncoder:
      return "image_encoder";
    case Component::kTextEncoder:
      return "text_encoder";
    case Component::kTextDecoder:
      return "text_decoder";
  }
  return "";
}

std::optional<Component> ParseComponent(std::string_view name) {
  for (const Component component : kComponents) {
    if (name == ComponentName(component)) return component;
  }
  return std::nullopt;
}

}  // namespace pawsight::engine
