#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

TEST(Choose, ScalarIsAlwaysAvailableAndTheSlowest) {
  ASSERT_FALSE(Available().empty());
  EXPECT_EQ(Available().front(), &Scalar());
}

TEST(Choose, AutoAndNothingAreTheFastest) {
  EXPECT_EQ(*Choose("auto"), Available().back());
  EXPECT_EQ(*Choose(""), Available().back());
}

TEST(Choose, EveryAvailableTableIsFoundByItsNameAndIsWhole) {
  for (const Kernels* table : Available()) {
    EXPECT_EQ(*Choose(table->name), table);
    EXPECT_NE(table->gemm, nullptr);
    EXPECT_NE(table->attend, nullptr);
    EXPECT_NE(table->layer_norm, nullptr);
    EXPECT_NE(table->pack_transposed, nullptr);
    EXPECT_NE(table->pack, nullptr);
    EXPECT_NE(table->narrow_gemm, nullptr);
  }
}

TEST(Choose, AnUnknownNameIsRefusedWithTheNamesThatExist) {
  const Result<const Kernels*> chosen = Choose("sse9");
  ASSERT_FALSE(chosen.ok());
  EXPECT_EQ(chosen.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(chosen.status().message().find("sse9"), std::string::npos);
  EXPECT_NE(chosen.status().message().find("scalar"), std::string::npos);
}

TEST(Choose, ATableBuiltInButNotRunHereIsRefusedAsSuch) {
  for (std::string_view name : {"avx2", "avx512", "amx"}) {
    const Result<const Kernels*> chosen = Choose(name);
    if (chosen.ok()) {
      const auto available = Available();
      EXPECT_NE(std::find(available.begin(), available.end(), *chosen), available.end());
    } else if (chosen.status().code() != StatusCode::kInvalidArgument) {
      EXPECT_EQ(chosen.status().code(), StatusCode::kFailedPrecondition);
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
