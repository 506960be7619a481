#include "tools/awaited_frames.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace pawsight::tools {
namespace {

constexpr std::array<std::string_view, 9> kShed{"replaced",  "deadline",    "shed",       "backends_full", "owner_full",
                                                "path_full", "device_rate", "queue_full", "draining"};

Result<std::string> GateReason(const Json& frame) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const rules, frame.GetArray("rules"));
  if (rules->empty()) return std::string("no_rule");
  return rules->front().GetString("reason");
}

}  // namespace

bool IsShed(const std::string& reason) { return std::ranges::find(kShed, reason) != kShed.end(); }

Result<ToldFrame> ReadToldFrame(const std::string& data) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json json, Json::Parse(data));
  ToldFrame told;
  PAWSIGHT_ASSIGN_OR_RETURN(told.frame, json.GetString("frame"));
  if (told.frame.empty()) return InvalidArgument("frame: empty");
  PAWSIGHT_ASSIGN_OR_RETURN(const bool asked, json.GetBool("asked"));
  if (const Json* trouble = json.Find("trouble"); trouble != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(std::string reason, trouble->GetString("reason"));
    if (reason.empty()) reason = "trouble";
    told.outcome = {reason, IsShed(reason)};
  } else if (!asked) {
    PAWSIGHT_ASSIGN_OR_RETURN(told.outcome.reason, GateReason(json));
    if (told.outcome.reason.empty()) return InvalidArgument("rules: a reason is empty");
    told.outcome.gated = true;
  }
  return told;
}

Result<int64_t> ReadDropped(const std::string& data) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json json, Json::Parse(data));
  return json.GetInteger("count", 0, INT64_MAX);
}

void AwaitedFrames::Await(const std::string& frame, client::Deadline deadline, int64_t breaks, OnEnded on_ended) {
  std::optional<CallOutcome> outcome;
  {
    MutexLock lock(mu_);
    --num_posted_;
    if (const auto early = early_.extract(frame); !early.empty()) {
      outcome = std::move(early.mapped());
    } else {
      waiting_.insert_or_assign(frame, Waiting{deadline, std::move(on_ended), broken_ || breaks != num_breaks_});
    }
    BoundMissed();
  }
  if (outcome) on_ended(*std::move(outcome));
}

int64_t AwaitedFrames::Posted() {
  MutexLock lock(mu_);
  ++num_posted_;
  return num_breaks_;
}

void AwaitedFrames::NotTaken() {
  MutexLock lock(mu_);
  --num_posted_;
  BoundMissed();
}

void AwaitedFrames::BoundMissed() {
  num_missed_ = std::min(num_missed_, static_cast<int64_t>(waiting_.size()) + num_posted_);
}

int64_t AwaitedFrames::num_breaks() const {
  MutexLock lock(mu_);
  return num_breaks_;
}

void AwaitedFrames::Tell(const ToldFrame& told) {
  OnEnded on_ended;
  {
    MutexLock lock(mu_);
    if (auto waiting = waiting_.extract(told.frame); !waiting.empty()) {
      on_ended = std::move(waiting.mapped().on_ended);
      BoundMissed();
    } else {
      early_.insert_or_assign(told.frame, told.outcome);
      early_order_.push_back(told.frame);
      if (early_order_.size() > kMaxEarly) {
        early_.erase(early_order_.front());
        early_order_.pop_front();
      }
    }
  }
  if (on_ended) on_ended(told.outcome);
}

void AwaitedFrames::Missed(int64_t count) {
  MutexLock lock(mu_);
  num_missed_ += std::min(count, INT64_MAX - num_missed_);
  BoundMissed();
}

void AwaitedFrames::Expire(client::Deadline now) {
  std::vector<std::pair<OnEnded, CallOutcome>> late;
  {
    MutexLock lock(mu_);
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (it->second.deadline > now) {
        ++it;
        continue;
      }
      CallOutcome outcome{it->second.over_a_break ? "stream_broken" : "not_told"};
      if (!it->second.over_a_break && num_missed_ > 0) {
        --num_missed_;
        outcome = {"dropped", false, false, true};
      }
      late.emplace_back(std::move(it->second.on_ended), std::move(outcome));
      it = waiting_.erase(it);
    }
    BoundMissed();
  }
  for (const auto& [on_ended, outcome] : late) on_ended(outcome);
}

void AwaitedFrames::Break() {
  std::unordered_map<std::string, Waiting> all;
  {
    MutexLock lock(mu_);
    all.swap(waiting_);
    broken_ = true;
    ++num_breaks_;
    num_missed_ = 0;  // they are among these
  }
  for (const auto& [frame, waiting] : all) waiting.on_ended({"stream_broken"});
}

void AwaitedFrames::Resume() {
  MutexLock lock(mu_);
  broken_ = false;
}

}  // namespace pawsight::tools
