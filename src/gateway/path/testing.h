// gateway/path/testing.h: for tests of the path: a backend that answers at once or when told, a record in memory,
// frames of one brightness as JPEG.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "frames/encode.h"
#include "gateway/path/frame_path.h"
#include "gateway/testing.h"

namespace pawsight::gateway::testing {

using Bytes = std::shared_ptr<const std::vector<uint8_t>>;

/// A small JPEG of this brightness; made once each. Not for several threads.
inline Bytes Jpeg(uint8_t level) {
  static std::map<uint8_t, Bytes> made;
  Bytes& jpeg = made[level];
  if (jpeg == nullptr)
    jpeg = std::make_shared<const std::vector<uint8_t>>(frames::EncodeJpeg(Plain(level), 80).value());
  return jpeg;
}

/// Answers each question by `answer` on the caller's thread, unless `hold`: then when Release is called. Thread-safe.
class InstantBackend : public AsyncBackend {
 public:
  using Respond = std::function<Result<double>(const Inquiry& inquiry, const std::string& question)>;
  explicit InstantBackend(Respond respond) : respond_(std::move(respond)) {}

  void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) override {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      ++num_asked;
      last = inquiry;
      if (hold) {
        held_.emplace_back(std::move(inquiry), std::move(done));
        return;
      }
    }
    Answer(inquiry, done);
  }
  /// Answers what is held, the oldest `most`.
  size_t Release(size_t most = 1'000'000) {
    std::vector<std::pair<Inquiry, std::function<void(Result<Reply>)>>> now;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      const size_t count = std::min(most, held_.size());
      std::move(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(now));
      held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    for (auto& [inquiry, done] : now) Answer(inquiry, done);
    return now.size();
  }
  size_t num_held() {
    const std::lock_guard<std::mutex> lock(mu_);
    return held_.size();
  }

  bool hold = false;
  int num_asked = 0;
  Inquiry last;

 private:
  void Answer(const Inquiry& inquiry, const std::function<void(Result<Reply>)>& done) {
    Reply reply;
    reply.pool = "pool";
    for (const std::string& question : inquiry.questions) {
      const Result<double> p_yes = respond_(inquiry, question);
      if (!p_yes.ok()) return done(p_yes.status());
      reply.answers.push_back({question, *p_yes >= 0.5 ? "yes" : "no", *p_yes, std::nullopt});
    }
    done(std::move(reply));
  }

  const Respond respond_;
  std::mutex mu_;
  std::vector<std::pair<Inquiry, std::function<void(Result<Reply>)>>> held_;
};

/// Keeps what is written; durable at once, unless `trouble`, or `hold`: then at Sync. Thread-safe.
class MemoryRecord : public Record {
 public:
  void Write(std::vector<RecordEntry> entries, Done done) override {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (hold) {
        held_.emplace_back(std::move(entries), std::move(done));
        return;
      }
    }
    Commit(entries, done);
  }
  void Sync() {
    std::vector<std::pair<std::vector<RecordEntry>, Done>> now;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      now.swap(held_);
    }
    for (auto& [entries, done] : now) Commit(entries, done);
  }
  std::vector<RestoredState> States() {
    const std::lock_guard<std::mutex> lock(mu_);
    std::vector<RestoredState> all;
    for (const auto& [key, text] : states_) {
      all.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), text, ""});
    }
    return all;
  }
  std::vector<AlertNotice> Notices() {
    const std::lock_guard<std::mutex> lock(mu_);
    return notices_;
  }

  /// What writes meet from now on, those included that are tried again.
  void SetTrouble(Status trouble) {
    const std::lock_guard<std::mutex> lock(mu_);
    trouble_ = std::move(trouble);
  }

  bool hold = false;
  std::vector<std::string> last_receivers;

 private:
  void Commit(const std::vector<RecordEntry>& entries, const Done& done) {
    std::vector<std::string> ids;
    Status trouble;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      trouble = trouble_;
      for (const RecordEntry& entry : entries) {
        if (!trouble.ok()) break;
        if (entry.state) states_[{entry.owner, entry.camera, entry.rule}] = *entry.state;
        ids.emplace_back();
        if (!entry.notice) continue;
        notices_.push_back(*entry.notice);
        last_receivers = entry.receivers;
        ids.back() = "evt_" + std::to_string(notices_.size());
      }
    }
    done(trouble.ok() ? Result<std::vector<std::string>>(std::move(ids)) : trouble);
  }

  std::mutex mu_;
  Status trouble_;
  std::map<std::tuple<std::string, std::string, std::string>, std::string> states_;
  std::vector<AlertNotice> notices_;
  std::vector<std::pair<std::vector<RecordEntry>, Done>> held_;
};

}  // namespace pawsight::gateway::testing
