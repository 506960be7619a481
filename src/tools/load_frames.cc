#include "tools/load_frames.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/check.h"
#include "base/files.h"
#include "frames/encode.h"
#include "scenes/camera.h"

namespace pawsight::tools {
namespace {

constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxBytes = 256'000'000;
constexpr size_t kMaxQuestions = 64;
constexpr size_t kMaxQuestionBytes = 512;
constexpr int kFramesACamera = 8;

bool IsImage(const std::filesystem::path& path) {
  std::string ending = path.extension();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

/// What a request's tensors view.
struct Owned {
  std::string image;
  std::shared_ptr<const std::vector<std::string>> questions;
};

}  // namespace

LoadFrames LoadFrames::Draw(uint64_t seed, int count, std::vector<std::string> questions) {
  LoadFrames frames(std::move(questions));
  for (int i = 0; i < count; ++i) {
    const scenes::VirtualCamera camera(seed + static_cast<uint64_t>(i / kFramesACamera), {});
    const scenes::Frame frame = camera.At(std::chrono::seconds(60 * (i % kFramesACamera)));
    const auto jpeg = frames::EncodeJpeg(frame.image, 85);
    CHECK(jpeg.ok());
    frames.images_.emplace_back(jpeg->begin(), jpeg->end());
  }
  return frames;
}

Result<LoadFrames> LoadFrames::Read(const std::string& folder, std::vector<std::string> questions) {
  LoadFrames frames(std::move(questions));
  std::error_code error;
  std::vector<std::string> paths;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (IsImage(at->path())) paths.push_back(at->path());
  }
  if (error) return NotFound(folder + ": " + error.message());
  if (paths.empty()) return NotFound(folder + ": no JPEG or PNG file");
  std::ranges::sort(paths);
  size_t left = kMaxBytes;
  for (size_t i = 0; i < std::min(paths.size(), kMaxFiles); ++i) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(paths[i], left));
    left -= bytes.size();
    frames.images_.emplace_back(bytes.begin(), bytes.end());
  }
  return frames;
}

std::string LoadFrames::Image(int64_t number, int64_t picture) const {
  CHECK(number >= 0 && picture >= 0);
  std::string image = images_[static_cast<size_t>(picture % count())];
  for (unsigned shift = 0; shift < 64; shift += 8) image += static_cast<char>(number >> shift);
  return image;
}

std::shared_ptr<const protocol::InferRequest> LoadFrames::Request(int64_t number) const {
  auto owned = std::make_shared<Owned>();
  owned->questions = questions_;
  owned->image = Image(number);
  auto request = std::make_shared<protocol::InferRequest>();
  request->model = "vqa";
  protocol::InputTensor image{.name = "image", .shape = {1}};
  image.elements = {owned->image};
  protocol::InputTensor question{.name = "question", .shape = {static_cast<int64_t>(questions_->size())}};
  question.elements.assign(questions_->begin(), questions_->end());
  request->inputs = {std::move(image), std::move(question)};
  request->owners = {std::move(owned)};
  return request;
}

double LoadFrames::mean_bytes() const {
  double sum = 0;
  for (const std::string& image : images_) sum += static_cast<double>(image.size());
  return images_.empty() ? 0 : sum / static_cast<double>(images_.size());
}

std::vector<std::string> DefaultQuestions() {
  return {"Is there a dog?", "Is the dog on the couch?", "Is there a cat on the table?"};
}

Result<std::vector<std::string>> ParseQuestions(const std::string& text) {
  std::vector<std::string> questions;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    if (line.size() > kMaxQuestionBytes) return InvalidArgument("a question of more than 512 bytes");
    if (questions.size() == kMaxQuestions) return InvalidArgument("more than 64 questions");
    questions.push_back(line);
  }
  if (questions.empty()) return InvalidArgument("no question in it");
  return questions;
}

}  // namespace pawsight::tools
