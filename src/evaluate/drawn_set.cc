#include "base/check.h"
#include "base/rng.h"
#include "evaluate/question_set.h"
#include "scenes/draw.h"
#include "scenes/questions.h"

namespace pawsight::evaluate {
namespace {

class Drawn : public QuestionSet {
 public:
  explicit Drawn(const DrawnOptions& options) : options_(options) {}
  std::string_view name() const override { return "drawn"; }
  bool private_pictures() const override { return false; }
  int size() const override { return options_.scenes; }

  Result<Shown> Get(int index) const override {
    CHECK(index >= 0 && index < options_.scenes);
    Rng rng = Rng(options_.seed).Fork(static_cast<uint64_t>(index));
    scenes::Frame frame = scenes::Draw(rng.Next(), options_.width, options_.width * 3 / 4);
    Shown shown{std::move(frame.image), "scene " + std::to_string(index), frame.truth.night ? "night" : "day", {}};
    for (scenes::Asked& asked : questioner_.Ask(frame.truth, rng, options_.questions)) {
      shown.pairs.push_back({std::move(asked.text), std::move(asked.answer), std::string(asked.family)});
    }
    return shown;
  }

 private:
  DrawnOptions options_;
  scenes::Questioner questioner_;
};

}  // namespace

std::unique_ptr<QuestionSet> DrawnSet(const DrawnOptions& options) { return std::make_unique<Drawn>(options); }

}  // namespace pawsight::evaluate
