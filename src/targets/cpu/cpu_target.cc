#include "targets/cpu/cpu_target.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <thread>
#include <utility>

#include "engine/buffer_pool.h"
#include "engine/parts.h"
#include "targets/cpu/lanes.h"

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
  explicit CpuImage(std::shared_ptr<engine::BufferPool> from) : pool(std::move(from)) {}
  ~CpuImage() override {
    pool->Give(for_text.Release());
    pool->Give(for_captions.Release());
  }
  std::shared_ptr<engine::BufferPool> pool;
  std::vector<float> embeds;  // [P, D], for retrieval heads only
  KeyValues for_text;         // what the text encoder looks at; empty without one
  KeyValues for_captions;     // what the decoder looks at in captioning; empty in other models
};

struct CpuQuestions : engine::QuestionStates {
  explicit CpuQuestions(std::shared_ptr<engine::BufferPool> from) : pool(std::move(from)) {}
  ~CpuQuestions() override {
    for (KeyValues& context : contexts) pool->Give(context.Release());
  }
  std::shared_ptr<engine::BufferPool> pool;
  std::vector<KeyValues> contexts;  // one a question: what the decoder looks at
  std::vector<int> valid;           // positions that are no padding
};

struct CpuRows : AnswerRows {
  explicit CpuRows(std::shared_ptr<engine::BufferPool> from) : pool(std::move(from)) {}
  ~CpuRows() override {
    for (engine::DecoderRow& row : rows) pool->Give(row.cache.Release());
  }
  std::shared_ptr<engine::BufferPool> pool;
  std::vector<engine::DecoderRow> rows;
  QuestionHandle questions;         // keeps the contexts alive
  std::vector<ImageHandle> images;  // the same, for captions
};

class CpuTarget : public engine::Target {
 public:
  CpuTarget(Artifacts artifacts, engine::Parts parts, const kernels::Kernels& kernels, int teams, int threads, bool pin)
      : artifacts_(std::move(artifacts)),
        config_(artifacts_.front()->config()),
        heads_(artifacts_.front()->info().heads),
        parts_(std::move(parts)),
        kernels_(kernels),
        lanes_(teams, threads, pin) {}

  const BlipConfig& config() const override { return config_; }
  bool Has(Head head) const override { return std::ranges::find(heads_, head) != heads_.end(); }

  Result<std::vector<ImageHandle>> Look(std::span<const float> pixels, int num_frames, const Trace& trace) override;
  Result<QuestionHandle> Read(std::span<const ImageHandle> images, std::span<const TokenRow> questions,
                              const Trace& trace) override;
  Result<std::unique_ptr<AnswerRows>> BeginAnswers(const QuestionHandle& questions,
                                                   std::span<const int> questions_of_rows, int capacity,
                                                   Padding padding) override;
  Result<std::unique_ptr<AnswerRows>> BeginCaptions(std::span<const ImageHandle> images, int capacity) override;
  Status Step(AnswerRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
              std::span<float> logits) override;
  Status Select(AnswerRows& rows, std::span<const int> from) override;
  Result<std::vector<Match>> MatchTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) override;

 private:
  Status Need(Head head) const;
  /// What was computed counts only when the weights are those that were opened.
  Status CheckWeights() const {
    for (const auto& artifact : artifacts_) PAWSIGHT_RETURN_IF_ERROR(artifact->CheckUnchanged());
    return Ok();
  }
  Status CheckTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) const;
  Status CheckCapacity(int capacity) const;
  engine::DecoderRow BeginRow(const KeyValues& context, int context_keys, int capacity) const {
    const engine::TextDecoder& decoder = *parts_.text_decoder;
    return decoder.Begin(context, context_keys, capacity, pool_->Take(decoder.layers().ContextSize(capacity)));
  }
  Status CheckStep(const CpuRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
                   size_t logits) const;

  const Artifacts artifacts_;  // what the parts' weights lie in
  const BlipConfig config_;
  const std::vector<Head> heads_;
  const engine::Parts parts_;
  const kernels::Kernels& kernels_;
  const std::shared_ptr<engine::BufferPool> pool_ = std::make_shared<engine::BufferPool>();
  Lanes lanes_;
};

const CpuImage& AsCpu(const ImageHandle& image) { return static_cast<const CpuImage&>(*image); }

Status CpuTarget::Need(Head head) const {
  if (Has(head)) return Ok();
  return FailedPrecondition("model: has no " + std::string(HeadName(head)) + " head", "head_missing");
}

bool AllFinite(std::span<const float> values) {
  uint32_t largest = 0;  // of the bits without sign: from the exponent of all ones on it is no number
  for (const float v : values) largest = std::max(largest, std::bit_cast<uint32_t>(v) & 0x7FFFFFFFU);
  return largest < 0x7F800000U;
}

Result<std::vector<ImageHandle>> CpuTarget::Look(std::span<const float> pixels, int num_frames, const Trace& trace) {
  const engine::ImageEncoder& encoder = *parts_.image_encoder;
  if (num_frames < 1 || pixels.size() != static_cast<size_t>(num_frames) * encoder.pixels_size()) {
    return InvalidArgument("pixels: " + std::to_string(pixels.size()) + " values, want " + std::to_string(num_frames) +
                           " x " + std::to_string(encoder.pixels_size()));
  }
  if (!AllFinite(pixels)) return InvalidArgument("pixels: a value is not finite");
  const Lanes::Lease lane(lanes_);
  const Compute compute{kernels_, lane->team, lane->arena};
  const engine::Arena::Scope scope(lane->arena);
  const int tokens = encoder.num_tokens();
  const int rows = num_frames * tokens;
  const auto frame_size = static_cast<size_t>(tokens) * static_cast<size_t>(encoder.width());
  float* embeds = lane->arena.Take(static_cast<size_t>(num_frames) * frame_size);
  encoder.Encode(compute, pixels.data(), num_frames, embeds, trace);
  std::vector<std::shared_ptr<CpuImage>> made;
  std::vector<engine::ContextRows> for_text;
  std::vector<engine::ContextRows> for_captions;
  const auto make = [&](const engine::BertLayers& layers, KeyValues& to, std::vector<engine::ContextRows>& contexts) {
    to = layers.MakeContext(tokens, pool_->Take(layers.ContextSize(tokens)));
    contexts.push_back({(static_cast<int>(made.size()) - 1) * tokens, tokens, &to});
  };
  for (int i = 0; i < num_frames; ++i) {
    CpuImage& image = *made.emplace_back(std::make_shared<CpuImage>(pool_));
    const float* own = embeds + static_cast<size_t>(i) * frame_size;
    if (Has(Head::kItm)) image.embeds.assign(own, own + frame_size);
    if (parts_.text_encoder) make(parts_.text_encoder->layers(), image.for_text, for_text);
    if (Has(Head::kCaption)) make(parts_.text_decoder->layers(), image.for_captions, for_captions);
  }
  if (!for_text.empty()) parts_.text_encoder->layers().FillContexts(compute, embeds, rows, for_text);
  if (!for_captions.empty()) parts_.text_decoder->layers().FillContexts(compute, embeds, rows, for_captions);
  PAWSIGHT_RETURN_IF_ERROR(CheckWeights());
  return std::vector<ImageHandle>(made.begin(), made.end());
}

Status CpuTarget::CheckTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) const {
  if (texts.empty() || images.size() != texts.size()) {
    return InvalidArgument("questions: " + std::to_string(texts.size()) + " for " + std::to_string(images.size()) +
                           " images");
  }
  for (const TokenRow& text : texts) {
    const auto length = static_cast<int>(text.ids.size());
    if (length < 1 || length > config_.text.max_positions || text.valid < 1 || text.valid > length) {
      return InvalidArgument(
          "questions: " + std::to_string(length) + " tokens, want 1.." + std::to_string(config_.text.max_positions),
          "question_too_long");
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
  const Lanes::Lease lane(lanes_);
  const Compute compute{kernels_, lane->team, lane->arena};
  const engine::Arena::Scope scope(lane->arena);
  float* states = lane->arena.Take(rows * static_cast<size_t>(config_.text.hidden_size));
  parts_.text_encoder->Encode(compute, questions, looks, states, trace);
  const engine::BertLayers& decoder = parts_.text_decoder->layers();
  auto read = std::make_shared<CpuQuestions>(pool_);
  read->contexts.reserve(questions.size());
  std::vector<engine::ContextRows> contexts;
  int first = 0;
  for (const TokenRow& question : questions) {
    const auto length = static_cast<int>(question.ids.size());
    read->contexts.push_back(decoder.MakeContext(length, pool_->Take(decoder.ContextSize(length))));
    read->valid.push_back(question.valid);
    contexts.push_back({first, length, &read->contexts.back()});
    first += length;
  }
  decoder.FillContexts(compute, states, first, contexts);
  PAWSIGHT_RETURN_IF_ERROR(CheckWeights());
  return QuestionHandle(std::move(read));
}

Status CpuTarget::CheckCapacity(int capacity) const {
  if (capacity >= 1 && capacity <= config_.text.max_positions) return Ok();
  return InvalidArgument("max_length: " + std::to_string(capacity) + ", want 1.." +
                         std::to_string(config_.text.max_positions));
}

Result<std::unique_ptr<AnswerRows>> CpuTarget::BeginAnswers(const QuestionHandle& questions,
                                                            std::span<const int> questions_of_rows, int capacity,
                                                            Padding padding) {
  PAWSIGHT_RETURN_IF_ERROR(CheckCapacity(capacity));
  const auto& read = static_cast<const CpuQuestions&>(*questions);
  auto rows = std::make_unique<CpuRows>(pool_);
  rows->questions = questions;
  for (const int question : questions_of_rows) {
    if (question < 0 || static_cast<size_t>(question) >= read.contexts.size()) {
      return InvalidArgument("questions_of_rows: " + std::to_string(question) + " is no question");
    }
    const KeyValues& context = read.contexts[static_cast<size_t>(question)];
    const int keys = padding == Padding::kAttend ? context.capacity() : read.valid[static_cast<size_t>(question)];
    rows->rows.push_back(BeginRow(context, keys, capacity));
  }
  return std::unique_ptr<AnswerRows>(std::move(rows));
}

Result<std::unique_ptr<AnswerRows>> CpuTarget::BeginCaptions(std::span<const ImageHandle> images, int capacity) {
  PAWSIGHT_RETURN_IF_ERROR(Need(Head::kCaption));
  PAWSIGHT_RETURN_IF_ERROR(CheckCapacity(capacity));
  auto rows = std::make_unique<CpuRows>(pool_);
  rows->images.assign(images.begin(), images.end());
  for (const ImageHandle& image : images) {
    const KeyValues& context = AsCpu(image).for_captions;
    rows->rows.push_back(BeginRow(context, context.capacity(), capacity));
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
  const Lanes::Lease lane(lanes_);
  parts_.text_decoder->Step({kernels_, lane->team, lane->arena}, stepping, ids, wanted, logits.data());
  return CheckWeights();
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
  const Lanes::Lease lane(lanes_);
  const Compute compute{kernels_, lane->team, lane->arena};
  const engine::Arena::Scope scope(lane->arena);
  const auto width = static_cast<size_t>(config_.text.hidden_size);
  float* looking = lane->arena.Take(rows * width);
  float* blind = lane->arena.Take(rows * width);
  parts_.text_encoder->Encode(compute, texts, looks, looking);
  parts_.text_encoder->Encode(compute, texts, {}, blind);
  std::vector<Match> matches;
  size_t first = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    matches.push_back(parts_.match_heads->Score(compute, AsCpu(images[i]).embeds.data(), looking + first * width,
                                                blind + first * width));
    first += texts[i].ids.size();
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckWeights());
  return matches;
}

/// The components that the checkpoint wants, each once, all of it.
Status CheckArtifacts(const Artifacts& artifacts) {
  if (artifacts.empty()) return FailedPrecondition("artifacts: none", "artifact_mismatch");
  const engine::ArtifactInfo& first = artifacts.front()->info();
  for (const engine::Component component : engine::kComponents) {
    const auto count = std::ranges::count(artifacts, component, [](const auto& a) { return a->info().component; });
    const bool wanted = engine::Parts::Wants(first.heads, component);
    if (count != (wanted ? 1 : 0)) {
      return FailedPrecondition("artifacts: " + std::to_string(count) + " of " +
                                    std::string(engine::ComponentName(component)) + ", want " +
                                    (wanted ? "one" : "none"),
                                "artifact_mismatch");
    }
  }
  for (const auto& artifact : artifacts) {
    if (artifact->info().source == first.source && artifact->info().config == first.config) continue;
    return FailedPrecondition("artifacts: " + std::string(engine::ComponentName(artifact->info().component)) +
                                  " is of another checkpoint; compile all components of one",
                              "artifact_mismatch");
  }
  return Ok();
}

}  // namespace

Result<std::unique_ptr<engine::Target>> MakeCpuTarget(Artifacts artifacts, const CpuOptions& options) {
  if (options.teams < 1 || options.teams > 256)
    return InvalidArgument("teams: " + std::to_string(options.teams) + ", want 1..256");
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = options.threads != 0 ? options.threads : std::max(1, cores / options.teams);
  if (threads < 1 || threads > 256) return InvalidArgument("threads: " + std::to_string(threads) + ", want 1..256");
  const char* forced = std::getenv("PAWSIGHT_CPU");
  const std::string name = !options.kernels.empty() || forced == nullptr ? options.kernels : forced;
  PAWSIGHT_ASSIGN_OR_RETURN(const kernels::Kernels* kernels, kernels::Choose(name));
  PAWSIGHT_RETURN_IF_ERROR(CheckArtifacts(artifacts));
  engine::Parts parts;
  for (const auto& artifact : artifacts) {
    const std::unique_ptr<engine::LayerSource> source = artifact->Layers();
    parts.Load(*source, artifact->config(), artifact->info().heads, artifact->info().component);
    PAWSIGHT_RETURN_IF_ERROR(source->status());
  }
  return std::unique_ptr<engine::Target>(std::make_unique<CpuTarget>(std::move(artifacts), std::move(parts), *kernels,
                                                                     options.teams, threads, options.pin));
}

}  // namespace pawsight::targets
