#include "notify/lane.h"

#include <algorithm>

namespace pawsight::notify {

void Lane::Fill(OutboxPage page) {
  has_more = page.more;
  bool passed_over = false;
  for (OutboxRow& row : page.rows) {
    if (IsUnderWay(row.id)) {
      passed_over = true;
      continue;
    }
    queue_.push_back(std::move(row));
  }
  has_more = has_more || passed_over;
  stalled_ = passed_over && queue_.empty();
}

bool Lane::IsUnderWay(int64_t id) const {
  const auto is_it = [id](const Running& each) { return each.id == id; };
  return unsettled_.count(id) != 0 || std::any_of(running_.begin(), running_.end(), is_it);
}

std::vector<OutboxRow> Lane::Expire(OutboxPage page, Time before) {
  std::vector<OutboxRow> old;
  for (OutboxRow& row : page.rows) {
    if (row.due >= before || IsUnderWay(row.id)) continue;
    unsettled_.insert(row.id);
    old.push_back(std::move(row));
  }
  return old;
}

std::optional<OutboxRow> Lane::Next() {
  if (static_cast<int>(running_.size()) >= window_ || unsettled_.size() >= kMaxUnsettled) return std::nullopt;
  for (auto each = queue_.begin(); each != queue_.end(); ++each) {
    const std::string& alert = each->message.alert;
    const auto is_before = [&](const auto& other) { return !alert.empty() && other.alert == alert; };
    if (std::any_of(running_.begin(), running_.end(), is_before)) continue;
    OutboxRow row = std::move(*each);
    queue_.erase(each);
    running_.insert({row.id, row.message.alert});
    return row;
  }
  return std::nullopt;
}

void Lane::EndRunning(int64_t id) {
  std::erase_if(running_, [id](const Running& each) { return each.id == id; });
  unsettled_.insert(id);
}

void Lane::Succeeded(int64_t id) {
  EndRunning(id);
  ClearFailures();
  window_ = std::min(2 * window_, max_running_);
}

AttemptView Lane::FailedOnce(const OutboxRow& row, Outcome::Kind kind, Time now) {
  EndRunning(row.id);
  window_ = 1;
  ++failures_;
  missing_ = kind == Outcome::Kind::kMissing ? missing_ + 1 : 0;
  Forget();
  return {row.attempts + 1, std::chrono::duration_cast<std::chrono::seconds>(now - row.due), failures_, missing_};
}

void Lane::Forget() {
  queue_.clear();
  has_more = true;
  stalled_ = false;
}

}  // namespace pawsight::notify
