#include "frames/decode.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "frames/resize.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using testing::Sha256;
using testing::SharedPath;

TEST(Decode, PhotosDecodeAndResizeToPillowsBytes) {
  const std::string path = SharedPath("data/preprocess/pillow_bicubic384_vectors.json");
  if (!FileExists(path)) GTEST_SKIP() << "SHARED DATA MISSING: no " << path;
  const Json vectors = Json::Parse(ReadTextFile(path, 16U << 20U).value()).value();
  int num_checked = 0;
  for (const Json& one : *vectors.GetArray("cases").value()) {
    const Json* file = one.Find("input")->Find("file");
    if (file == nullptr) continue;  // formulas: resize_test.cc
    const std::string photo = SharedPath("data/" + file->as_string());
    if (!FileExists(photo)) continue;  // not every photo of the vectors may be passed on
    const std::vector<uint8_t> bytes = ReadFile(photo, 8U << 20U).value();
    const Result<Decoded> decoded = Decode(bytes);
    ASSERT_TRUE(decoded.ok()) << file->as_string() << decoded.status().ToString();
    EXPECT_EQ(Sha256(decoded->image.rgb), one.GetString("input_rgb_sha256").value()) << file->as_string();
    const Image resized = ResizeBicubic(decoded->image, 384, 384);
    EXPECT_EQ(Sha256(resized.rgb), one.GetString("resized_rgb_sha256").value()) << file->as_string();
    ++num_checked;
  }
  EXPECT_GE(num_checked, 3);
}

}  // namespace
}  // namespace pawsight::frames
