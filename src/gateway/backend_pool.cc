#include "gateway/backend_pool.h"

namespace pawsight::gateway {

Result<std::vector<Answer>> BackendPool::Ask(const frames::Image& image, std::span<const std::string> questions) {
  const std::chrono::nanoseconds start = clock_.Monotonic();
  Result<std::vector<Answer>> answers = backend_.Ask(image, questions);
  last_duration_ = clock_.Monotonic() - start;
  if (!answers.ok()) return answers;
  if (answers->size() != questions.size()) {
    return Internal("backend " + name() + ": " + std::to_string(answers->size()) + " answers to " +
                    std::to_string(questions.size()) + " questions");
  }
  for (const Answer& answer : *answers) {
    if (!(answer.p_yes >= 0 && answer.p_yes <= 1)) return Internal("backend " + name() + ": p_yes outside 0..1");
  }
  return answers;
}

}  // namespace pawsight::gateway
