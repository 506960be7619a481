// evaluate/question_set.h: pictures with questions whose answers are known, from wherever they come: drawn rooms, a
// training pack's held-out part, labelled photos; and pictures with questions of which nothing is known but that the
// model never learned them. Sets are thread-compatible; Get reads and decodes one picture.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "frames/image.h"

namespace pawsight::evaluate {

struct Pair {
  std::string question;
  std::string answer;  // one lower-case word, a number or a few words; "" when nobody knows
  std::string family;
};

struct Shown {
  frames::Image image;
  std::string id;    // "v0017", "photos/x.jpg"
  std::string kind;  // what sort of picture within its set: "composite"; may be ""
  std::vector<Pair> pairs;
};

class QuestionSet {
 public:
  virtual ~QuestionSet() = default;
  virtual std::string_view name() const = 0;
  /// Whether its pictures are somebody's and must not be published.
  virtual bool private_pictures() const = 0;
  /// Pictures.
  virtual int size() const = 0;
  /// The picture at 0 <= index < size() (CHECK), the same at every call.
  /// Errors: kInvalidArgument, the picture cannot be decoded; kNotFound, its file is gone.
  virtual Result<Shown> Get(int index) const = 0;
};

struct DrawnOptions {
  uint64_t seed = 424243;  // training uses 1, its own held-out set 999983
  int scenes = 1000;
  int questions = 12;  // a scene, each of another family
  int width = 320;     // pixels of the camera
};

/// "drawn": random rooms, families as scenes::AllQuestions() names them.
std::unique_ptr<QuestionSet> DrawnSet(const DrawnOptions& options);

/// "pack": `dir`/val.jsonl, one object a line with "id", "kind", "bin", "at": [offset, length] and "qa": [[question,
/// answer],
/// ...]; the pictures are JPEG or PNG in `dir`/BIN.bin. At most 100,000 lines, 64 MB; 1 GB a .bin.
/// Errors: kInvalidArgument (pack_invalid), line and field; kNotFound.
Result<std::unique_ptr<QuestionSet>> OpenPackSet(const std::string& dir);

/// "photos": a JSON file {"photos": {PATH: {"qa": {question: answer}}}}; paths are relative to the file's folder or to
/// the one above. At most 16 MB, 100,000 photos. Errors: kInvalidArgument (labels_invalid), kNotFound.
Result<std::unique_ptr<QuestionSet>> OpenPhotoSet(const std::string& labels_path);

/// The lines of a text file that are neither empty nor begin with '#': 1..1000 questions, at most 1 MB.
/// Errors: those of ReadTextFile; kInvalidArgument, none or too many.
Result<std::vector<std::string>> ReadQuestionLines(const std::string& path);

struct UnknownOptions {
  int pictures = 24;  // asked each question, at most
  uint64_t seed = 1;
};

/// "unknown": each question about a random sample of the pictures of `sources`, which must live as long (not empty:
/// CHECK).
std::unique_ptr<QuestionSet> UnknownSet(std::vector<const QuestionSet*> sources,
                                        const std::vector<std::string>& questions, const UnknownOptions& options);

}  // namespace pawsight::evaluate
