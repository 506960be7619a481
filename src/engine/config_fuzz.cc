// Any bytes as config.json, preprocessor_config.json and calibration.json: read or refused, and what is read is within its
// ranges.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/calibration.h"
#include "engine/config.h"
#include "engine/expected_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::engine;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto config = BlipConfig::Parse(text); config.ok()) {
    CHECK(config->vision.head_dim() * config->vision.num_heads == config->vision.hidden_size);
    CHECK(config->vision.num_tokens() >= 2 && config->vision.num_tokens() <= 65537);
    CHECK(config->text.bos_id < config->text.vocab_size && config->text.sep_id < config->text.vocab_size);
    for (const ExpectedTensor& tensor : ExpectedTensors(*config, Head::kVqa)) {
      CHECK(CheckedBytes(tensor.shape, DType::kF32).ok());
    }
  }
  if (const auto config = PreprocessConfig::Parse(text); config.ok()) {
    CHECK(config->width >= 1 && config->height >= 1 && config->std[0] > 0.0F);
  }
  if (const auto calibration = Calibration::Parse(text); calibration.ok()) {
    const double temperature = calibration->TemperatureOf(text);
    CHECK(temperature >= kMinTemperature && temperature <= kMaxTemperature);
    CHECK(Calibration::Parse(ToJson(*calibration).Dump()).ok());
  }
  return 0;
}
