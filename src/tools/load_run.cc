#include "tools/load_run.h"

#include <algorithm>
#include <cctype>
#include <queue>
#include <utility>

#include "base/mutex.h"

namespace pawsight::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kLook{100};  // between looks at `stop` and calls of progress

struct Frame {
  nanoseconds due{0};
  nanoseconds sent{0};
  bool counts = false;  // due in the measured time
};

void Count(const CallOutcome& outcome, LoadSeen* seen) {
  auto& counts = outcome.gated     ? seen->gated
                 : outcome.unseen  ? seen->unseen
                 : outcome.refused ? seen->refused
                                   : seen->failed;
  const bool room = counts.size() < kMaxOutcomeReasons || counts.contains(outcome.reason);
  ++counts[room ? outcome.reason : "other"];
}

/// What a run and the calls it has under way share; calls may outlive a run only within RunLoad.
struct Notes {
  explicit Notes(const Clock& the_clock) : clock(the_clock) {}

  const Clock& clock;
  Mutex mu;
  CondVar changed;
  LoadSeen seen GUARDED_BY(mu);
  int64_t under_way GUARDED_BY(mu) = 0;
  std::vector<nanoseconds> free_again GUARDED_BY(mu);          // of a closed loop: when its clients send next
  nanoseconds begin GUARDED_BY(mu){0}, end GUARDED_BY(mu){0};  // of the measured time

  void Ended(const Frame& frame, const LoadSpec& spec, const CallOutcome& outcome) EXCLUDES(mu) {
    const nanoseconds now = clock.Monotonic();
    MutexLock lock(mu);
    if (outcome.reason.empty() && (spec.clients == 0 ? frame.counts : now >= begin && now < end)) ++seen.answered;
    if (frame.counts && outcome.reason.empty()) {
      seen.latency.Add(now - frame.due);
    } else if (frame.counts) {
      Count(outcome, &seen);
      if (outcome.refused) seen.refused_latency.Add(now - frame.sent);
      if (outcome.gated && spec.clients > 0) seen.gated_time += now - frame.sent + spec.back_off;
    }
    --under_way;
    if (spec.clients > 0) free_again.push_back(outcome.reason.empty() ? now : now + spec.back_off);
    changed.NotifyAll();
  }
};

/// The thread of a run.
class Driver {
 public:
  Driver(const SendFrame& send, const LoadSpec& spec, const Clock& clock)
      : send_(send),
        spec_(spec),
        clock_(clock),
        notes_(std::make_shared<Notes>(clock)),
        start_(clock.Monotonic()),
        begin_(start_ + spec.warmup),
        end_(begin_ + spec.duration) {
    SetTime(begin_, end_);
    for (int client = 0; client < spec.clients; ++client) due_.push(start_);
    for (const nanoseconds offset : spec.due) due_.push(start_ + offset);
  }

  LoadSeen Run(const std::stop_token& stop, const OnProgress& progress, const LoadMarks& marks) {
    nanoseconds next_look = start_;
    bool begun = false;
    nanoseconds now = clock_.Monotonic();
    for (; now < end_ && !stop.stop_requested(); now = clock_.Monotonic()) {
      if (!begun && now >= begin_) {
        begun = true;
        marks.begin();
      }
      if (now >= next_look) {
        progress(static_cast<double>((now - start_).count()) / static_cast<double>((end_ - start_).count()));
        next_look = now + kLook;
      }
      while (!due_.empty() && due_.top() <= now && now < end_) {
        Send(due_.top(), now);
        due_.pop();
        now = clock_.Monotonic();
      }
      Sleep(std::min({end_, next_look, begun ? end_ : begin_}));
    }
    SetTime(begin_, std::min(now, end_));
    if (begun) marks.end();
    if (!stop.stop_requested()) NoteUnsent();
    return Collect(begun ? std::min(now, end_) - begin_ : nanoseconds(0));
  }

 private:
  void Send(nanoseconds due, nanoseconds now) {
    if (spec_.clients > 0) due = now;  // a client is due when it is free
    const Frame frame{due, now, due >= begin_ && due < end_};
    {
      MutexLock lock(notes_->mu);
      ++notes_->under_way;
      if (frame.counts) {
        ++notes_->seen.offered;
        notes_->seen.late.Add(now - due);
      }
    }
    const auto deadline = client::Deadline(std::chrono::duration_cast<client::Deadline::duration>(now + spec_.timeout));
    send_(number_++, deadline,
          [notes = notes_, frame, spec = &spec_](const CallOutcome& outcome) { notes->Ended(frame, *spec, outcome); });
  }

  void SetTime(nanoseconds begin, nanoseconds end) {
    MutexLock lock(notes_->mu);
    notes_->begin = begin;
    notes_->end = end;
  }

  /// What was due in the measured time and not sent in it: the load was too slow.
  void NoteUnsent() {
    MutexLock lock(notes_->mu);
    for (; spec_.clients == 0 && !due_.empty(); due_.pop()) {
      if (due_.top() < begin_ || due_.top() >= end_) continue;
      ++notes_->seen.offered;
      Count({"not_sent", false, false, true}, &notes_->seen);
    }
  }

  /// Until something is due, a client is free, or `latest`.
  void Sleep(nanoseconds latest) {
    if (!due_.empty()) latest = std::min(latest, due_.top());
    MutexLock lock(notes_->mu);
    while (notes_->free_again.empty() && clock_.Monotonic() < latest) {
      clock_.WaitUntil(notes_->mu, notes_->changed, latest);
    }
    for (const nanoseconds at : std::exchange(notes_->free_again, {})) due_.push(at);
  }

  LoadSeen Collect(nanoseconds measured) {
    MutexLock lock(notes_->mu);
    // Every call has a deadline, so this ends.
    while (notes_->under_way > 0) clock_.WaitUntil(notes_->mu, notes_->changed, Clock::kForever);
    LoadSeen seen = std::move(notes_->seen);
    seen.seconds = static_cast<double>(measured.count()) * 1e-9;
    return seen;
  }

  const SendFrame& send_;
  const LoadSpec& spec_;
  const Clock& clock_;
  const std::shared_ptr<Notes> notes_;
  const nanoseconds start_, begin_, end_;
  std::priority_queue<nanoseconds, std::vector<nanoseconds>, std::greater<>> due_;
  int64_t number_ = 0;
};

}  // namespace

LoadSeen RunLoad(const SendFrame& send, const LoadSpec& spec, const Clock& clock, std::stop_token stop,
                 const OnProgress& progress, const LoadMarks& marks) {
  return Driver(send, spec, clock).Run(stop, progress, marks);
}

SendFrame AskServer(client::InferenceClient& server, MakeRequest make) {
  return [&server, make = std::move(make)](int64_t number, client::Deadline deadline, OnEnded on_ended) {
    (void)server.Infer(make(number), deadline, [on_ended = std::move(on_ended)](const client::InferResult& result) {
      on_ended(OutcomeOf(result));
    });
  };  // nobody cancels the call
}

CallOutcome OutcomeOf(const client::InferResult& result) {
  if (result.response.ok()) return {};
  const Status& status = result.response.status();
  std::string reason = status.reason().empty() ? std::string(StatusCodeName(status.code())) : status.reason();
  std::ranges::transform(reason, reason.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool shed = status.code() == StatusCode::kResourceExhausted ||
                    (status.code() == StatusCode::kUnavailable && result.retry_after.has_value());
  return {std::move(reason), shed && !result.may_have_run};
}

}  // namespace pawsight::tools
