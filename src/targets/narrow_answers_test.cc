// Answers in bf16 and int8: the same bits alone and in company, from disk and from memory, by any team, and without
// asking the system for memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "engine/file_testing.h"
#include "engine/parts.h"
#include "targets/cpu/compile.h"
#include "targets/testing.h"

// Counts what this program's C++ asks for; the sanitizers bring their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define PAWSIGHT_COUNTS_ALLOCATIONS 1
namespace {
std::atomic<int64_t> allocations = 0;
}  // namespace
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size); memory != nullptr) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace pawsight::targets {
namespace {

using engine::Precision;
using engine::TempFolder;

TEST(NarrowAnswers, AreTheSameBitsAloneAndInCompanyOnEveryTable) {
  for (const kernels::Kernels* kernels : kernels::Available()) {
    for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
      SCOPED_TRACE(std::string(kernels->name) + " " + std::string(engine::PrecisionName(precision)));
      const CpuOptions options{.threads = 2, .kernels = std::string(kernels->name), .precision = precision};
      const auto opened = OpenCpuTarget(kMini, options);
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      engine::Target& target = **opened;
      std::vector<float> two = Pixels(1);
      const std::vector<float> other = Pixels(2);
      two.insert(two.end(), other.begin(), other.end());
      const auto both = target.Look(two, 2);
      const auto alone = target.Look(other, 1);
      ASSERT_TRUE(both.ok() && alone.ok());
      std::vector<engine::ImageHandle> looks;
      std::vector<engine::TokenRow> questions;
      for (int i = 0; i < 17; ++i) {
        looks.push_back((*both)[static_cast<size_t>(i % 2)]);
        questions.push_back(Question(i));
      }
      const std::vector<float> company = Logits(target, looks, questions);
      const auto vocabulary = static_cast<size_t>(target.config().text.vocab_size);
      for (const size_t i : {size_t{1}, size_t{7}, size_t{15}}) {
        const std::vector<float> one = Logits(target, {alone->front()}, {questions[i]});
        EXPECT_TRUE(std::equal(one.begin(), one.end(), company.begin() + static_cast<std::ptrdiff_t>(i * vocabulary)))
            << i;
      }
    }
  }
}

TEST(NarrowAnswers, AreTheSameFromAnArtifactOnDiskAndFromACheckpointPackedInMemoryWhateverTheTeams) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const TempFolder folder;
    ASSERT_TRUE(CompileForCpu(kMini, folder.path(), {.precision = precision, .check = false}).ok());
    const auto disk = OpenCpuArtifacts(folder.path(), {.threads = 1, .teams = 2, .pin = true});
    const auto memory = OpenCpuTarget(kMini, {.threads = 1, .precision = precision});
    ASSERT_TRUE(disk.ok() && memory.ok());
    const auto a = (*disk)->Look(Pixels(3), 1);
    const auto b = (*memory)->Look(Pixels(3), 1);
    EXPECT_EQ(Logits(**disk, {a->front()}, {Question(4)}), Logits(**memory, {b->front()}, {Question(4)}));
  }
}

TEST(NarrowAnswers, YesAndNoRowsAloneEqualTheWholeVocabularysLogits) {
  const auto target = OpenCpuTarget(kMini, {.threads = 1, .precision = Precision::kInt8});
  ASSERT_TRUE(target.ok());
  const auto look = (*target)->Look(Pixels(5), 1);
  const std::vector<float> all = Logits(**target, {look->front()}, {Question(2)});
  const auto questions = std::vector<engine::TokenRow>{Question(2)};
  const auto read = (*target)->Read(*look, questions);
  const int which = 0;
  const auto rows = (*target)->BeginAnswers(*read, {&which, 1}, 1, engine::Padding::kMask);
  const std::vector<int> wanted = {620, 3, 40};
  const std::vector<engine::RowToken> start = {{0, (*target)->config().text.bos_id}};
  std::vector<float> some(wanted.size());
  ASSERT_TRUE((*target)->Step(**rows, start, wanted, some).ok());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(some[i], all[static_cast<size_t>(wanted[i])]);
}

TEST(NarrowAnswers, AreTheSameFromFourThreadsThatShareTwoTeams) {
  const auto opened = OpenCpuTarget(kMini, {.threads = 2, .teams = 2, .precision = Precision::kInt8});
  ASSERT_TRUE(opened.ok());
  engine::Target& target = **opened;
  const auto ask = [&target](int i) {
    const auto look = target.Look(Pixels(static_cast<uint64_t>(i)), 1);
    return Logits(target, {look->front()}, {Question(i)});
  };
  std::vector<std::vector<float>> alone;
  for (int i = 0; i < 4; ++i) alone.push_back(ask(i));
  std::vector<std::thread> threads;
  std::atomic<int> same = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) same += ask(i) == alone[static_cast<size_t>(i)];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, 12);
}

#if defined(PAWSIGHT_COUNTS_ALLOCATIONS)
TEST(ForwardPass, AllocatesNothingTheSecondTime) {
  const auto* const kernels = *kernels::Choose("");
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    const auto checkpoint = engine::Checkpoint::Open(kMini);
    ASSERT_TRUE(checkpoint.ok());
    const auto artifacts = PackInMemory(*checkpoint, precision);
    ASSERT_TRUE(artifacts.ok());
    engine::Parts parts;
    for (const auto& artifact : *artifacts) {
      parts.Load(*artifact->Layers(), artifact->config(), artifact->info().heads, artifact->info().component);
    }
    kernels::Team team(2);
    engine::Arena arena;
    const engine::Compute compute{*kernels, team, arena};
    const engine::BertLayers& encoder = parts.text_encoder->layers();
    const engine::BertLayers& decoder = parts.text_decoder->layers();
    const int tokens = parts.image_encoder->num_tokens();
    const auto width = static_cast<size_t>(parts.image_encoder->width());
    const std::vector<float> pixels = Pixels(1);
    const std::vector<engine::TokenRow> questions = {Question(1), Question(5)};
    const int rows = questions[0].valid + questions[1].valid;
    std::vector<float> embeds(static_cast<size_t>(tokens) * width);
    std::vector<float> states(static_cast<size_t>(rows) * width);
    engine::KeyValues image = encoder.MakeContext(tokens, engine::Floats(encoder.ContextSize(tokens)));
    engine::KeyValues read = decoder.MakeContext(rows, engine::Floats(decoder.ContextSize(rows)));
    const std::vector<engine::ContextRows> for_image = {{0, tokens, &image}};
    const std::vector<engine::ContextRows> for_read = {{0, rows, &read}};
    const std::vector<const engine::KeyValues*> looks = {&image, &image};
    engine::DecoderRow row = parts.text_decoder->Begin(read, rows, 4, engine::Floats(decoder.ContextSize(4)));
    const std::vector<engine::DecoderRow*> stepping = {&row};
    const std::vector<int> ids = {7};
    std::vector<float> logits(static_cast<size_t>(parts.text_decoder->vocab_size()));
    const auto pass = [&] {
      const engine::Arena::Scope scope(arena);
      parts.image_encoder->Encode(compute, pixels.data(), 1, embeds.data());
      encoder.FillContexts(compute, embeds.data(), tokens, for_image);
      parts.text_encoder->Encode(compute, questions, looks, states.data());
      decoder.FillContexts(compute, states.data(), rows, for_read);
      parts.text_decoder->Step(compute, stepping, ids, {}, logits.data());
    };
    pass();
    const int64_t before = allocations;
    pass();
    EXPECT_EQ(allocations - before, 0) << engine::PrecisionName(precision);
  }
}
#endif

}  // namespace
}  // namespace pawsight::targets
