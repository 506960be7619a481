#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "base/files.h"
#include "base/json.h"
#include "evaluate/families.h"
#include "evaluate/question_set.h"
#include "frames/decode.h"

namespace pawsight::evaluate {
namespace {

constexpr size_t kMaxLabelBytes = 16U << 20U;
constexpr size_t kMaxPhotos = 100'000;
// A person's own photo: any phone's, also progressive.
constexpr frames::DecodeLimits kPhotoLimits{
    .max_bytes = 64U << 20U, .max_pixels = 100'000'000, .max_scratch = 1U << 30U};

Status Invalid(const std::string& what) { return InvalidArgument(what, "labels_invalid"); }

struct Photo {
  std::string id;
  std::string path;
  std::vector<Pair> pairs;
};

class Photos : public QuestionSet {
 public:
  explicit Photos(std::vector<Photo> photos) : photos_(std::move(photos)) {}
  std::string_view name() const override { return "photos"; }
  bool private_pictures() const override { return true; }
  int size() const override { return static_cast<int>(photos_.size()); }

  Result<Shown> Get(int index) const override {
    CHECK(index >= 0 && index < size());
    const Photo& photo = photos_[static_cast<size_t>(index)];
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(photo.path, kPhotoLimits.max_bytes));
    Result<frames::Decoded> decoded = frames::Decode(bytes, kPhotoLimits);
    if (!decoded.ok()) return Annotate(decoded.status(), photo.path);
    return Shown{std::move(decoded->image), photo.id, "", photo.pairs};
  }

 private:
  std::vector<Photo> photos_;
};

/// Where the photo lies, seen from the folder of the labels or from the one above.
Result<std::string> Find(const std::filesystem::path& labels, const std::string& name) {
  const std::filesystem::path path(name);
  if (name.empty() || path.is_absolute() || std::ranges::find(path, std::filesystem::path("..")) != path.end()) {
    return Invalid("photos: \"" + name + "\", want a relative path without ..");
  }
  const std::filesystem::path folder = std::filesystem::absolute(labels).lexically_normal().parent_path();
  for (const std::filesystem::path& from : {folder, folder.parent_path()}) {
    if (FileExists((from / path).string())) return (from / path).string();
  }
  return NotFound((folder / path).string() + ": no such photo, nor in the folder above");
}

}  // namespace

Result<std::unique_ptr<QuestionSet>> OpenPhotoSet(const std::string& labels_path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(labels_path, kMaxLabelBytes));
  const Result<Json> json = Json::Parse(text);
  if (!json.ok()) return Annotate(json.status(), labels_path);
  const Result<const Json::Object*> listed = json->GetObject("photos");
  if (!listed.ok()) return Annotate(listed.status(), labels_path);
  if ((*listed)->empty() || (*listed)->size() > kMaxPhotos) {
    return Invalid(labels_path + ": photos: " + std::to_string((*listed)->size()) + ", want 1..100000");
  }
  std::vector<Photo> photos;
  for (const auto& [name, label] : **listed) {
    const std::string place = labels_path + ": photos: " + name;
    PAWSIGHT_ASSIGN_OR_RETURN(std::string path, Find(labels_path, name));
    Photo photo{name, std::move(path), {}};
    const Result<const Json::Object*> pairs = label.GetObject("qa");
    if (!pairs.ok()) return Annotate(pairs.status(), place);
    for (const auto& [question, answer] : **pairs) {
      if (!answer.is_string()) return Invalid(place + ": qa: want {question: answer}, both strings");
      photo.pairs.push_back({question, answer.as_string(), FamilyOf(question)});
    }
    photos.push_back(std::move(photo));
  }
  return std::unique_ptr<QuestionSet>(std::make_unique<Photos>(std::move(photos)));
}

}  // namespace pawsight::evaluate
