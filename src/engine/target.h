// engine/target.h: what executes BLIP's three components. The image's embeddings, its keys and values, the questions'
// states and the decoder's caches stay on the target between components; the caller holds opaque handles, and only
// logits come back. Not here: words to ids (tokenizer.h), which token comes next (generate.h). Thread-safe: any thread
// may call; a target with one team of threads runs the calls one after another. Any call may also end with kUnavailable
// (artifact_changed): somebody wrote into the weights on disk; open a new target.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/compute.h"
#include "engine/config.h"
#include "engine/expected_tensors.h"
#include "engine/text_encoder.h"

namespace pawsight::engine {

/// One frame as the target holds it. Immutable; any number of questions share it.
class ImageState {
 public:
  virtual ~ImageState() = default;
};
using ImageHandle = std::shared_ptr<const ImageState>;

/// Encoded questions, each about its image. Immutable.
class QuestionStates {
 public:
  virtual ~QuestionStates() = default;
};
using QuestionHandle = std::shared_ptr<const QuestionStates>;

/// Sequences being written by the decoder, and their caches. One thread at a time.
class AnswerRows {
 public:
  virtual ~AnswerRows() = default;
};

/// Whether the decoder sees a question's padded positions. The library's generation does (an all-ones mask), so there an
/// answer depends on its batch; the default here does not.
enum class Padding { kMask, kAttend };

/// One token to append to one row.
struct RowToken {
  int row = 0;
  int token = 0;
};

/// Does this text fit this image (BLIP's retrieval heads).
struct Match {
  std::array<float, 2> logits{};      // no, yes
  std::vector<float> image_feature;   // unit length, [image_text_hidden_size]
  std::vector<float> text_feature;    // the same; their dot product is the contrastive score
};

class Target {
 public:
  virtual ~Target() = default;

  virtual const BlipConfig& config() const = 0;
  /// Whether the checkpoint has the parts for it.
  virtual bool Has(Head head) const = 0;

  /// pixels [num_frames, 3, S, S], RGB, normalised. Encodes the frames and computes the keys and values that every
  /// question will look at: once a frame, not once a question.
  /// Errors: kInvalidArgument, another size, or a value that is not finite.
  virtual Result<std::vector<ImageHandle>> Look(std::span<const float> pixels, int num_frames, const Trace& trace = {}) = 0;

  /// Encodes questions[i] looking at images[i] (the same handle as often as liked), all in one batch.
  /// Errors: kInvalidArgument, an id outside the vocabulary or more ids than positions. kFailedPrecondition, no such head.
  virtual Result<QuestionHandle> Read(std::span<const ImageHandle> images, std::span<const TokenRow> questions,
                                      const Trace& trace = {}) = 0;

  /// Rows that answer: row i is about question questions_of_rows[i] of `questions`; each can grow to `capacity` tokens.
  /// Errors: kInvalidArgument, capacity beyond the positions.
  virtual Result<std::unique_ptr<AnswerRows>> BeginAnswers(const QuestionHandle& questions,
                                                           std::span<const int> questions_of_rows, int capacity,
                                                           Padding padding) = 0;
  /// Rows that describe: row i is about images[i]. Errors: also kFailedPrecondition, no caption head.
  virtual Result<std::unique_ptr<AnswerRows>> BeginCaptions(std::span<const ImageHandle> images, int capacity) = 0;

  /// Appends a token to each row named (each at most once) and writes what may follow: logits [tokens.size(), wanted.size()]
  /// for the ids in `wanted`, or [tokens.size(), vocab_size] when it is empty.
  /// Errors: kInvalidArgument, an id or a row out of range, a full row, logits of another size.
  virtual Status Step(AnswerRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
                      std::span<float> logits) = 0;
  /// Row i becomes a copy of what row from[i] was: beam search keeps its best.
  virtual Status Select(AnswerRows& rows, std::span<const int> from) = 0;

  /// texts[i] against images[i]. Errors: kFailedPrecondition, no retrieval head; as Read.
  virtual Result<std::vector<Match>> MatchTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) = 0;
};

}  // namespace pawsight::engine
