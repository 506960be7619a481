#include "engine/tensor_view.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/files.h"
#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string Raw(const std::vector<T>& values) {
  std::string out(values.size() * sizeof(T), '\0');
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

TensorView View(DType dtype, const std::string& bytes) {
  return {dtype, {static_cast<int64_t>(bytes.size() / ElementBytes(dtype))}, Bytes(bytes)};
}

/// A half by its definition, in doubles.
double Half(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const double mantissa = bits & 0x3FF;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024.0 + mantissa, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(ToFloat, EveryFiniteHalfIsConvertedExactly) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const std::string raw = Raw<uint16_t>({static_cast<uint16_t>(bits)});
    const Result<std::vector<float>> value = ToFloat(View(DType::kF16, raw));
    if ((bits & 0x7C00U) == 0x7C00U) {
      EXPECT_EQ(value.status().reason(), "weights_not_finite") << bits;
    } else {
      ASSERT_TRUE(value.ok()) << bits;
      ASSERT_EQ(static_cast<double>(value->at(0)), Half(static_cast<uint16_t>(bits))) << bits;
    }
  }
}

TEST(ToFloat, Bfloat16FloatAndDoubleKeepTheirValues) {
  EXPECT_THAT(ToFloat(View(DType::kBF16, Raw<uint16_t>({0x3F80, 0xC000, 0x0001}))).value(),
              ElementsAre(1.0F, -2.0F, std::ldexp(1.0F, -133)));
  EXPECT_THAT(ToFloat(View(DType::kF32, Raw<float>({0.0F, -1e-45F, 3e38F}))).value(),
              ElementsAre(0.0F, -1e-45F, 3e38F));
  EXPECT_THAT(ToFloat(View(DType::kF64, Raw<double>({0.1, -1e-60}))).value(), ElementsAre(0.1F, 0.0F));
}

TEST(ToFloat, BytesNeedNoAlignment) {
  const std::string raw = "x" + Raw<float>({1.25F, 2.5F});
  EXPECT_THAT(ToFloat(TensorView{DType::kF32, {2}, Bytes(raw).subspan(1)}).value(), ElementsAre(1.25F, 2.5F));
}

TEST(ToFloat, NotANumberAndInfinityAreRefusedWithTheirPlace) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, -nan, inf, -inf}) {
    std::vector<float> values(1000, 1.0F);
    values[777] = bad;
    const Status status = ToFloat(View(DType::kF32, Raw(values))).status();
    EXPECT_EQ(status.reason(), "weights_not_finite");
    EXPECT_THAT(status.message(), HasSubstr("element 777 of 1000"));
  }
  EXPECT_FALSE(ToFloat(View(DType::kF64, Raw<double>({1e39}))).ok());
  EXPECT_FALSE(ToFloat(View(DType::kF64, Raw<double>({std::nan("")}))).ok());
  EXPECT_FALSE(ToFloat(View(DType::kBF16, Raw<uint16_t>({0x7F80}))).ok());
}

TEST(ToFloat, IntegersAreNotWeights) {
  EXPECT_EQ(ToFloat(View(DType::kI64, Raw<int64_t>({1}))).status().reason(), "dtype_unsupported");
}

TEST(ToInt64, IntegersOfAnyWidthAreWidened) {
  EXPECT_THAT(ToInt64(View(DType::kI8, Raw<int8_t>({-3}))).value(), ElementsAre(-3));
  EXPECT_THAT(ToInt64(View(DType::kU16, Raw<uint16_t>({65535}))).value(), ElementsAre(65535));
  EXPECT_THAT(ToInt64(View(DType::kI32, Raw<int32_t>({-5, 6}))).value(), ElementsAre(-5, 6));
  EXPECT_THAT(ToInt64(View(DType::kU64, Raw<uint64_t>({7}))).value(), ElementsAre(7));
  EXPECT_FALSE(ToInt64(View(DType::kU64, Raw<uint64_t>({~uint64_t{0}}))).ok());
  EXPECT_FALSE(ToInt64(View(DType::kF32, Raw<float>({1.0F}))).ok());
}

TEST(ToFloat, AFileThatShrinksWhileItIsMappedIsAnErrorAndNotACrash) {
  const TempFolder folder;
  const size_t count = size_t{1} << 20U;
  const std::string path = folder.Write("x", std::string(count * sizeof(float), '\0'));
  const MappedFile file = MappedFile::Open(path).value();
  const TensorView tensor{DType::kF32, {static_cast<int64_t>(count)}, file.bytes()};
  ASSERT_TRUE(ToFloat(tensor).ok());
  ASSERT_EQ(::truncate(path.c_str(), 5000), 0);
  for (int again = 0; again < 3; ++again) {
    const Status status = ToFloat(tensor).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_EQ(status.reason(), "file_shrunk");
  }
}

}  // namespace
}  // namespace pawsight::engine
