#include "server/execute.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace pawsight::server {
namespace {

bool MayShareACall(const engine::AskOptions& a, const engine::AskOptions& b) {
  // Padding::kAttend makes an answer depend on its company.
  return a.padding == engine::Padding::kMask && b.padding == a.padding && a.mode == b.mode &&
         a.first_token == b.first_token && a.max_length == b.max_length && a.num_beams == b.num_beams &&
         a.top_k == b.top_k && a.choices == b.choices;
}

/// The questions of some parts, equal ones once.
class Plan {
 public:
  void Add(const Part& part) {
    for (const std::string& question : part.questions()) {
      const auto [place, fresh] =
          known_.emplace(std::pair(part.frame->handle.get(), std::string_view(question)), asked_.size());
      if (fresh) asked_.push_back({part.frame->handle, question});
    }
  }

  /// Asks all, in calls of as many as the engine takes. Errors: those of Engine::Ask.
  Status Run(Engine& engine, const engine::AskOptions& options, size_t* num_computed) {
    for (size_t first = 0; first < asked_.size(); first += engine::kMaxQuestions) {
      const size_t count = std::min<size_t>(engine::kMaxQuestions, asked_.size() - first);
      *num_computed += count;
      PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Answer> some,
                                engine.Ask(std::span(asked_).subspan(first, count), options));
      if (some.size() != count)
        return Internal("engine: " + std::to_string(some.size()) + " answers to " + std::to_string(count) +
                        " questions");
      answers_.insert(answers_.end(), some.begin(), some.end());
    }
    return Ok();
  }

  std::vector<engine::Answer> AnswersOf(const Part& part) const {
    std::vector<engine::Answer> answers;
    for (const std::string& question : part.questions()) {
      answers.push_back(answers_[known_.at(std::pair(part.frame->handle.get(), std::string_view(question)))]);
    }
    return answers;
  }

 private:
  std::map<std::pair<const void*, std::string_view>, size_t> known_;
  std::vector<FrameQuestion> asked_;
  std::vector<engine::Answer> answers_;
};

void AskGroup(Engine& engine, std::span<const Part> parts, std::span<const size_t> group, Asked& asked) {
  Plan plan;
  for (const size_t i : group) plan.Add(parts[i]);
  const Status status = plan.Run(engine, parts[group.front()].request->work.ask, &asked.num_computed);
  if (status.ok()) {
    for (const size_t i : group) asked.answers[i] = plan.AnswersOf(parts[i]);
    return;
  }
  if (group.size() == 1) {
    asked.answers[group.front()] = status;
    return;
  }
  for (const size_t i : group) AskGroup(engine, parts, std::span(&i, 1), asked);
}

}  // namespace

std::vector<Result<FrameHandle>> LookAt(Engine& engine, std::span<const FramePtr> frames) {
  std::vector<Result<FrameHandle>> handles;
  if (frames.empty()) return handles;
  std::vector<std::span<const float>> pixels;
  for (const FramePtr& frame : frames) pixels.push_back(frame->pixels);
  auto together = engine.Look(pixels);
  if (together.ok() && together->size() == frames.size()) {
    for (FrameHandle& handle : *together) handles.push_back(std::move(handle));
    return handles;
  }
  const Status status = together.ok() ? Internal("engine: not a handle for each frame") : together.status();
  for (const std::span<const float>& one : pixels) {
    if (frames.size() == 1) {
      handles.push_back(status);
      break;
    }
    auto alone = engine.Look(std::span(&one, 1));
    if (alone.ok() && alone->size() == 1) {
      handles.push_back(std::move(alone->front()));
    } else {
      handles.push_back(alone.ok() ? status : alone.status());
    }
  }
  return handles;
}

Asked AskAll(Engine& engine, std::span<const Part> parts, const std::vector<bool>& wanted) {
  Asked asked;
  for (size_t i = 0; i < parts.size(); ++i) asked.answers.push_back(Cancelled("no longer wanted"));
  std::vector<std::vector<size_t>> groups;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!wanted[i] || parts[i].frame->handle == nullptr) continue;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const std::vector<size_t>& group) {
      return MayShareACall(parts[group.front()].request->work.ask, parts[i].request->work.ask);
    });
    if (same != groups.end()) {
      same->push_back(i);
    } else {
      groups.push_back({i});
    }
  }
  for (const std::vector<size_t>& group : groups) AskGroup(engine, parts, group, asked);
  return asked;
}

}  // namespace pawsight::server
