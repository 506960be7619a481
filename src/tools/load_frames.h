// tools/load_frames.h: what a load asks: JPEG frames of virtual cameras, or of a folder, and several questions of each.
// No two frames have the same bytes, so that a server that shares the work of equal frames has none to share.
// Thread-safe once made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "protocol/messages.h"

namespace pawsight::tools {

class LoadFrames {
 public:
  /// `count` frames of 640x480 from virtual cameras, different rooms at different times. Cost: 20 ms a frame.
  static LoadFrames Draw(uint64_t seed, int count, std::vector<std::string> questions);
  /// The JPEG and PNG files of a folder in the order of their names, at most 1,000 and 256 MB.
  /// Errors: kNotFound, no such folder, none in it; those of ReadFile.
  static Result<LoadFrames> Read(const std::string& folder, std::vector<std::string> questions);

  /// Frame number 0, 1, ...: the frames in turn, each with its number behind the image's end.
  std::string Image(int64_t number) const { return Image(number, number); }
  /// The same with another picture: number `picture` of those in turn.
  std::string Image(int64_t number, int64_t picture) const;
  /// All questions of it.
  std::shared_ptr<const protocol::InferRequest> Request(int64_t number) const;

  int64_t count() const { return static_cast<int64_t>(images_.size()); }
  double mean_bytes() const;
  int num_questions() const { return static_cast<int>(questions_->size()); }

 private:
  explicit LoadFrames(std::vector<std::string> questions)
      : questions_(std::make_shared<const std::vector<std::string>>(std::move(questions))) {}

  std::vector<std::string> images_;
  std::shared_ptr<const std::vector<std::string>> questions_;
};

/// Three yes/no questions of a pet's day.
std::vector<std::string> DefaultQuestions();
/// One question a line, at most 64, 512 bytes each. Errors: kInvalidArgument.
Result<std::vector<std::string>> ParseQuestions(const std::string& text);

}  // namespace pawsight::tools
