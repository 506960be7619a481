#include "engine/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::HasSubstr;

const std::string kTwoFloats = FloatBytes({1.0F, -2.0F});

Result<TensorMap> Read(const std::string& file) { return ReadSafetensors(Bytes(file)); }

void ExpectRefused(const std::string& file, const std::string& what) {
  const Result<TensorMap> tensors = Read(file);
  ASSERT_FALSE(tensors.ok()) << what;
  EXPECT_EQ(tensors.status().reason(), "header_invalid");
  EXPECT_THAT(tensors.status().message(), HasSubstr(what));
}

TEST(Safetensors, ATensorIsFoundWithItsTypeShapeAndBytes) {
  const std::string file = Safetensors(
      R"({"__metadata__":{"format":"pt"},"x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("n":{"dtype":"U8","shape":[],"data_offsets":[8,9]},"e":{"dtype":"F64","shape":[0,3],"data_offsets":[0,0]}}  )",
      kTwoFloats + "\x07");
  const Result<TensorMap> tensors = Read(file);
  ASSERT_TRUE(tensors.ok()) << tensors.status().ToString();
  ASSERT_EQ(tensors->size(), 3U);
  const TensorView& x = tensors->at("x");
  EXPECT_EQ(x.shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(ToFloat(x).value(), (std::vector<float>{1.0F, -2.0F}));
  EXPECT_EQ(ToInt64(tensors->at("n")).value(), std::vector<int64_t>{7});
  EXPECT_EQ(tensors->at("e").num_elements(), 0);
}

TEST(Safetensors, AFileWithoutTensorsIsEmptyAndNotAnError) { EXPECT_TRUE(Read(Safetensors("{}", "")).value().empty()); }

TEST(Safetensors, AWrongHeaderLengthIsRefused) {
  ExpectRefused("", "too few for a header length");
  ExpectRefused("1234567", "too few for a header length");
  ExpectRefused(LittleEndian(0) + "{}", "too few");
  ExpectRefused(LittleEndian(uint64_t{1} << 63U) + "{}", "more than the file");
  ExpectRefused(LittleEndian(~uint64_t{0}) + "{}", "more than the file");
  ExpectRefused(LittleEndian(3) + "{}", "more than the file");
  const size_t over = kMaxHeaderBytes + 1;
  ExpectRefused(LittleEndian(over) + "{}" + std::string(over - 2, ' '), "more than the limit");
}

TEST(Safetensors, AHeaderThatIsNotTheJsonObjectIsRefused) {
  ExpectRefused(Safetensors("[]", ""), "does not start with {");
  ExpectRefused(Safetensors(" {}", ""), "does not start with {");
  ExpectRefused(Safetensors("{} x", ""), "text after the value");
  ExpectRefused(Safetensors("{\"a\":", ""), "JSON");
  ExpectRefused(Safetensors("{\"\xff\":1}", ""), "JSON");
  ExpectRefused(Safetensors("{\"a\":" + std::string(100, '['), ""), "JSON");
  ExpectRefused(Safetensors(R"({"__metadata__":[]})", ""), "__metadata__");
  ExpectRefused(Safetensors(R"({"__metadata__":{"a":1}})", ""), "__metadata__.a");
  ExpectRefused(Safetensors(R"({"a":[]})", ""), "want an object");
  ExpectRefused(Safetensors(R"({"a":{"dtype":"F32","shape":[2]}})", kTwoFloats), "want an object");
}

TEST(Safetensors, ATensorNameTwiceIsRefused) {
  const std::string x = R"("x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  ExpectRefused(Safetensors("{" + x + "," + x + "}", FloatBytes({1.0F})), "stands twice");
}

TEST(Safetensors, TooManyTensorsOrTooLongANameAreRefused) {
  std::string header = "{";
  for (size_t i = 0; i < kMaxTensors + 2; ++i) {
    header += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  ExpectRefused(Safetensors(header + "}", ""), "more than the limit of 10000");
  ExpectRefused(
      Safetensors("{\"" + std::string(1U << 20U, 'x') + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", ""),
      "a name of 1048576 bytes");
  ExpectRefused(Safetensors(R"({"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", ""), "a name of 0 bytes");
}

TEST(Safetensors, WrongOffsetsAreRefused) {
  const auto with = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return Safetensors(R"({"x":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}",
                       kTwoFloats);
  };
  ExpectRefused(with("F32", "[1]", "[8,4]"), "run backwards");
  ExpectRefused(with("F32", "[1]", "[-4,0]"), "run backwards");
  ExpectRefused(with("F32", "[3]", "[0,12]"), "beyond the 8 bytes");
  ExpectRefused(with("F32", "[2]", "[0,9223372036854775807]"), "beyond the 8 bytes");
  ExpectRefused(with("F32", "[2]", "[0,18446744073709551615]"), "want [begin, end]");
  ExpectRefused(with("F32", "[2]", "[0.0,8]"), "want [begin, end]");
  ExpectRefused(with("F32", "[2]", "[0,4,8]"), "want [begin, end]");
  ExpectRefused(with("F32", "[1]", "[0,8]"), "are not the 4 bytes of F32 [1]");
  ExpectRefused(with("F32", "[1]", "[2,6]"), "not aligned");
  ExpectRefused(with("F32", "[1]", "[0,4]"), "4 bytes behind the last tensor");
  ExpectRefused(with("F32", "[1]", "[4,8]"), "4 bytes before it belong to no tensor");
  ExpectRefused(Safetensors(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                            kTwoFloats),
                "overlap");
}

TEST(Safetensors, AShapeThatOverflowsIsRefusedBeforeAnyAllocation) {
  for (const char* shape : {"[1000000,1000000,1000000]", "[4294967296,4294967296]", "[9223372036854775807,2]",
                            "[0,9223372036854775807]", "[-1]", "[1.5]", "[1,1,1,1,1,1,1,1,1]"}) {
    ExpectRefused(
        Safetensors(R"({"x":{"dtype":"F32","shape":)" + std::string(shape) + R"(,"data_offsets":[0,8]}})", kTwoFloats),
        "shape");
  }
}

TEST(Safetensors, AnUnknownTypeIsNamed) {
  ExpectRefused(Safetensors(R"({"x":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})", kTwoFloats),
                R"(unknown dtype "F8_E4M3")");
}

TEST(Safetensors, EveryPrefixAndEveryFlippedHeaderByteIsReadOrRefusedWithoutHarm) {
  const std::string file = Safetensors(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", kTwoFloats);
  for (size_t n = 0; n < file.size(); ++n) EXPECT_FALSE(Read(file.substr(0, n)).ok()) << n;
  for (size_t i = 0; i < file.size() - kTwoFloats.size(); ++i) {
    for (const int flip : {1, 0x20, 0x80}) {
      std::string broken = file;
      broken[i] = static_cast<char>(broken[i] ^ flip);
      (void)Read(broken);  // either way is right: the sanitizers judge
    }
  }
}

}  // namespace
}  // namespace pawsight::engine
