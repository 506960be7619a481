#include "targets/cpu/cpu_target.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "engine/image_encoder.h"
#include "engine/memory_check.h"
#include "engine/text_decoder.h"
#include "engine/text_encoder.h"
#include "targets/cpu/match_heads.h"

namespace pawsight::targets {
namespace {

using engine::AnswerRows;
using engine::BlipConfig;
using engine::Compute;
using engine::Head;
using engine::ImageHandle;
using engine::KeyValues;
using engine::Match;
using engine::Padding;
using engine::QuestionHandle;
using engine::RowToken;
using engine::TokenRow;
using engine::Trace;

struct CpuImage : engine::ImageState {
  std::vector<float> embeds;  // [P, D]
  KeyValues for_text;         // what the text encoder looks at; empty without one
  KeyValues for_captions;     // what the decoder looks at in captioning; empty in other models
};

struct CpuQuestions : engine::QuestionStates {
  std::vector<KeyValues> contexts;  // one a question: what the decoder looks at
  std::vector<int> valid;           // positions that are no padding
};

struct CpuRows : AnswerRows {
  std::vector<engine::DecoderRow> rows;
  QuestionHandle questions;         // keeps the contexts alive
  std::vector<ImageHandle> images;  // the same, for captions
};

/// A model's parts; which are there depends on the checkpoint.
struct Parts {
  engine::ImageEncoder image_encoder;
  std::optional<engine::TextEncoder> text_encoder;
  std::optional<engine::TextDecoder> text_decoder;
  std::optional<MatchHeads> match_heads;
};

class CpuTarget : public engine::Target {
 public:
  CpuTarget(BlipConfig config, std::vector<Head> heads, Parts parts, const kernels::Kernels& kernels, int threads)
      : config_(std::move(config)), heads_(std::move(heads)), parts_(std::move(parts)), kernels_(kernels), team_(threads) {}

  const BlipConfig& config() const override { return config_; }
  bool Has(Head head) const override { return std::ranges::find(heads_, head) != heads_.end(); }

  Result<std::vector<ImageHandle>> Look(std::span<const float> pixels, int num_frames, const Trace& trace) override;
  Result<QuestionHandle> Read(std::span<const ImageHandle> images, std::span<const TokenRow> questions,
                              const Trace& trace) override;
  Result<std::unique_ptr<AnswerRows>> BeginAnswers(const QuestionHandle& questions, std::span<const int> questions_of_rows,
                                                   int capacity, Padding padding) override;
  Result<std::unique_ptr<AnswerRows>> BeginCaptions(std::span<const ImageHandle> images, int capacity) override;
  Status Step(AnswerRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
              std::span<float> logits) override;
  Status Select(AnswerRows& rows, std::span<const int> from) override;
  Result<std::vector<Match>> MatchTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) override;

 private:
  Status Need(Head head) const;
  Status CheckTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) const;
  Status CheckCapacity(int capacity) const;
  Status CheckStep(const CpuRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
                   size_t logits) const;

  const BlipConfig config_;
  const std::vector<Head> heads_;
  const Parts parts_;
  const kernels::Kernels& kernels_;
  Mutex mu_;
  kernels::Team team_ GUARDED_BY(mu_);
  engine::Arena arena_ GUARDED_BY(mu_);
};

const CpuImage& AsCpu(const ImageHandle& image) { return static_cast<const CpuImage&>(*image); }

Status CpuTarget::Need(Head head) const {
  if (Has(head)) return Ok();
  return FailedPrecondition("model: has no " + std::string(HeadName(head)) + " head", "head_missing");
}

Result<std::vector<ImageHandle>> CpuTarget::Look(std::span<const float> pixels, int num_frames, const Trace& trace) {
  const engine::ImageEncoder& encoder = parts_.image_encoder;
  if (num_frames < 1 || pixels.size() != static_cast<size_t>(num_frames) * encoder.pixels_size()) {
    return InvalidArgument("pixels: " + std::to_string(pixels.size()) + " values, want " + std::to_string(num_frames) +
                           " x " + std::to_string(encoder.pixels_size()));
  }
  if (!std::ranges::all_of(pixels, [](float v) { return std::isfinite(v); })) {
    return InvalidArgument("pixels: a value is not finite");
  }
  MutexLock lock(mu_);
  const Compute compute{kernels_, team_, arena_};
  const engine::Arena::Scope scope(arena_);
  const size_t size = static_cast<size_t>(encoder.num_tokens()) * static_cast<size_t>(encoder.width());
  float* embeds = arena_.Take(static_cast<size_t>(num_frames) * size);
  encoder.Encode(compute, pixels.data(), num_frames, embeds, trace);
  std::vector<ImageHandle> images;
  for (int i = 0; i < num_frames; ++i) {
    auto image = std::make_shared<CpuImage>();
    const float* own = embeds + static_cast<size_t>(i) * size;
    image->embeds.assign(own, own + size);
    if (parts_.text_encoder) image->for_text = parts_.text_encoder->ImageKeyValues(compute, own, encoder.num_tokens());
    if (Has(Head::kCaption)) {
      image->for_captions = parts_.text_decoder->ContextKeyValues(compute, own, encoder.num_tokens());
    }
    images.push_back(std::move(image));
  }
  return images;
}

Status CpuTarget::CheckTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) const {
  if (texts.empty() || images.size() != texts.size()) {
    return InvalidArgument("questions: " + std::to_string(texts.size()) + " for " + std::to_string(images.size()) + " images");
  }
  for (const TokenRow& text : texts) {
    const auto length = static_cast<int>(text.ids.size());
    if (length < 1 || length > config_.text.max_positions || text.valid < 1 || text.valid > length) {
      return InvalidArgument("questions: " + std::to_string(length) + " tokens, want 1.." +
                             std::to_string(config_.text.max_positions), "question_too_long");
    }
    for (const int id : text.ids) {
      if (id < 0 || id >= config_.text.vocab_size) return InvalidArgument("questions: token id " + std::to_string(id));
    }
  }
  return Ok();
}

Result<QuestionHandle> CpuTarget::Read(std::span<const ImageHandle> images, std::span<const TokenRow> questions,
                                       const Trace& trace) {
  PAWSIGHT_RETURN_IF_ERROR(Need(Head::kVqa));
  PAWSIGHT_RETURN_IF_ERROR(CheckTexts(images, questions));
  std::vector<const KeyValues*> looks;
  size_t rows = 0;
  for (size_t i = 0; i < questions.size(); ++i) {
    looks.push_back(&AsCpu(images[i]).for_text);
    rows += questions[i].ids.size();
  }
  MutexLock lock(mu_);
  const Compute compute{kernels_, team_, arena_};
  const engine::Arena::Scope scope(arena_);
  const auto width = static_cast<size_t>(config_.text.hidden_size);
  float* states = arena_.Take(rows * width);
  parts_.text_encoder->Encode(compute, questions, looks, states, trace);
  auto read = std::make_shared<CpuQuestions>();
  for (const TokenRow& question : questions) {
    read->contexts.push_back(parts_.text_decoder->ContextKeyValues(compute, states, static_cast<int>(question.ids.size())));
    read->valid.push_back(question.valid);
    states += question.ids.size() * width;
  }
  return QuestionHandle(std::move(read));
}

Status CpuTarget::CheckCapacity(int capacity) const {
  if (capacity >= 1 && capacity <= config_.text.max_positions) return Ok();
  return InvalidArgument("max_length: " + std::to_string(capacity) + ", want 1.." + std::to_string(config_.text.max_positions));
}

Result<std::unique_ptr<AnswerRows>> CpuTarget::BeginAnswers(const QuestionHandle& questions,
                                                            std::span<const int> questions_of_rows, int capacity,
                                                            Padding padding) {
  PAWSIGHT_RETURN_IF_ERROR(CheckCapacity(capacity));
  const auto& read = static_cast<const CpuQuestions&>(*questions);
  auto rows = std::make_unique<CpuRows>();
  rows->questions = questions;
  for (const int question : questions_of_rows) {
    if (question < 0 || static_cast<size_t>(question) >= read.contexts.size()) {
      return InvalidArgument("questions_of_rows: " + std::to_string(question) + " is no question");
    }
    const KeyValues& context = read.contexts[static_cast<size_t>(question)];
    const int keys = padding == Padding::kAttend ? context.capacity() : read.valid[static_cast<size_t>(question)];
    rows->rows.push_back(parts_.text_decoder->Begin(context, keys, capacity));
  }
  return std::unique_ptr<AnswerRows>(std::move(rows));
}

Result<std::unique_ptr<AnswerRows>> CpuTarget::BeginCaptions(std::span<const ImageHandle> images, int capacity) {
  PAWSIGHT_RETURN_IF_ERROR(Need(Head::kCaption));
  PAWSIGHT_RETURN_IF_ERROR(CheckCapacity(capacity));
  auto rows = std::make_unique<CpuRows>();
  rows->images.assign(images.begin(), images.end());
  for (const ImageHandle& image : images) {
    const KeyValues& context = AsCpu(image).for_captions;
    rows->rows.push_back(parts_.text_decoder->Begin(context, context.capacity(), capacity));
  }
  return std::unique_ptr<AnswerRows>(std::move(rows));
}

Status CpuTarget::CheckStep(const CpuRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
                            size_t logits) const {
  const auto in_vocabulary = [this](int id) { return id >= 0 && id < config_.text.vocab_size; };
  std::vector<bool> seen(rows.rows.size());
  for (const RowToken& t : tokens) {
    const auto row = static_cast<size_t>(t.row);
    if (t.row < 0 || row >= seen.size() || seen[row]) return InvalidArgument("tokens: row " + std::to_string(t.row));
    seen[row] = true;
    if (rows.rows[row].length >= rows.rows[row].cache.capacity()) return InvalidArgument("tokens: the row is full");
    if (!in_vocabulary(t.token)) return InvalidArgument("tokens: id " + std::to_string(t.token));
  }
  if (!std::ranges::all_of(wanted, in_vocabulary)) return InvalidArgument("wanted: an id outside the vocabulary");
  const size_t columns = wanted.empty() ? static_cast<size_t>(config_.text.vocab_size) : wanted.size();
  if (logits != tokens.size() * columns) return InvalidArgument("logits: of another size");
  return Ok();
}

Status CpuTarget::Step(AnswerRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
                       std::span<float> logits) {
  auto& own = static_cast<CpuRows&>(rows);
  PAWSIGHT_RETURN_IF_ERROR(CheckStep(own, tokens, wanted, logits.size()));
  if (tokens.empty()) return Ok();
  std::vector<engine::DecoderRow*> stepping;
  std::vector<int> ids;
  for (const RowToken& t : tokens) {
    stepping.push_back(&own.rows[static_cast<size_t>(t.row)]);
    ids.push_back(t.token);
  }
  MutexLock lock(mu_);
  parts_.text_decoder->Step({kernels_, team_, arena_}, stepping, ids, wanted, logits.data());
  return Ok();
}

Status CpuTarget::Select(AnswerRows& rows, std::span<const int> from) {
  auto& own = static_cast<CpuRows&>(rows);
  if (from.size() != own.rows.size()) return InvalidArgument("from: want one row for each");
  std::vector<engine::DecoderRow> next;
  for (const int source : from) {
    if (source < 0 || static_cast<size_t>(source) >= own.rows.size()) return InvalidArgument("from: no such row");
    const engine::DecoderRow& row = own.rows[static_cast<size_t>(source)];
    next.push_back({row.cache.Clone(), row.length, row.context, row.context_keys});
  }
  own.rows = std::move(next);
  return Ok();
}

Result<std::vector<Match>> CpuTarget::MatchTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) {
  PAWSIGHT_RETURN_IF_ERROR(Need(Head::kItm));
  PAWSIGHT_RETURN_IF_ERROR(CheckTexts(images, texts));
  std::vector<const KeyValues*> looks;
  size_t rows = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    looks.push_back(&AsCpu(images[i]).for_text);
    rows += texts[i].ids.size();
  }
  MutexLock lock(mu_);
  const Compute compute{kernels_, team_, arena_};
  const engine::Arena::Scope scope(arena_);
  const auto width = static_cast<size_t>(config_.text.hidden_size);
  float* looking = arena_.Take(rows * width);
  float* blind = arena_.Take(rows * width);
  parts_.text_encoder->Encode(compute, texts, looks, looking);
  parts_.text_encoder->Encode(compute, texts, {}, blind);
  std::vector<Match> matches;
  size_t first = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    matches.push_back(parts_.match_heads->Score(compute, AsCpu(images[i]).embeds.data(), looking + first * width,
                                                blind + first * width));
    first += texts[i].ids.size();
  }
  return matches;
}

Result<Parts> LoadParts(const BlipConfig& config, std::span<const Head> heads, const engine::Weights& weights,
                        const kernels::Kernels& kernels) {
  const auto any = [&](Head a, Head b) { return std::ranges::any_of(heads, [&](Head h) { return h == a || h == b; }); };
  Parts parts;
  PAWSIGHT_ASSIGN_OR_RETURN(parts.image_encoder, engine::ImageEncoder::Load(config.vision, weights, kernels));
  if (any(Head::kVqa, Head::kItm)) {
    PAWSIGHT_ASSIGN_OR_RETURN(parts.text_encoder,
                              engine::TextEncoder::Load(config.text, config.vision.hidden_size, weights, kernels));
  }
  if (any(Head::kVqa, Head::kCaption)) {
    PAWSIGHT_ASSIGN_OR_RETURN(parts.text_decoder,
                              engine::TextDecoder::Load(config.text, config.vision.hidden_size, weights, kernels));
  }
  if (any(Head::kItm, Head::kItm)) {
    PAWSIGHT_ASSIGN_OR_RETURN(parts.match_heads, MatchHeads::Load(config, weights, kernels));
  }
  return parts;
}

}  // namespace

Result<std::unique_ptr<engine::Target>> OpenCpuTarget(const std::string& model_dir, const CpuOptions& options) {
  const int threads = options.threads != 0 ? options.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  if (threads < 1 || threads > 256) return InvalidArgument("threads: " + std::to_string(threads) + ", want 1..256");
  const char* forced = std::getenv("PAWSIGHT_CPU");
  const std::string name = !options.kernels.empty() || forced == nullptr ? options.kernels : forced;
  PAWSIGHT_ASSIGN_OR_RETURN(const kernels::Kernels* kernels, kernels::Choose(name));
  PAWSIGHT_ASSIGN_OR_RETURN(BlipConfig config, BlipConfig::Open(model_dir));
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Weights weights,
                            options.weights.empty() ? engine::Weights::Open(model_dir) : engine::Weights::OpenFile(options.weights));
  PAWSIGHT_ASSIGN_OR_RETURN(std::vector<Head> heads, engine::CheckWeights(weights, config));
  PAWSIGHT_RETURN_IF_ERROR(Annotate(engine::CheckMemory(weights.float_bytes(), engine::AvailableMemory()), model_dir));
  PAWSIGHT_ASSIGN_OR_RETURN(Parts parts, LoadParts(config, heads, weights, *kernels));
  return std::unique_ptr<engine::Target>(
      std::make_unique<CpuTarget>(std::move(config), std::move(heads), std::move(parts), *kernels, threads));
}

}  // namespace pawsight::targets
