#include "apps/demo_home.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "base/log.h"
#include "events/ids.h"
#include "frames/encode.h"
#include "gateway/api/owners.h"
#include "gateway/source.h"
#include "rules/rule.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kJpegQuality = 85;
constexpr const char* kRoomNames[] = {"living room", "den", "kitchen", "hall", "study", "nursery", "attic", "porch"};
constexpr const char* kQuestions[] = {"Is the dog on the couch?", "Is the dog chewing the couch?",
                                      "Is the cat on the table?", "Is there a person?"};

std::string RoomName(size_t number) {
  const size_t known = std::size(kRoomNames);
  return kRoomNames[number % known] + (number < known ? std::string() : " " + std::to_string(number / known + 1));
}

}  // namespace

DemoHome::DemoHome(events::Store& store, gateway::Registry& registry, gateway::FramePath& path, const Clock& clock)
    : store_(store), registry_(registry), path_(path), clock_(clock) {}

Status DemoHome::Furnish(const DemoHomeOptions& options) {
  fps_ = options.fps;
  const Time now = clock_.Now();
  owner_ = events::NewId("own_", now);
  events::WriteBatch batch;
  events::Owner owner;
  owner.id = owner_;
  owner.name = "demo";
  batch.emplace_back(events::Put<events::Owner>{owner});
  batch.emplace_back(
      events::Put<events::Credential>{gateway::MakeCredential(events::Role::kOperator, owner_, "demo", now, &token_)});
  for (size_t i = 0; i < static_cast<size_t>(options.cameras); ++i) {
    events::Camera camera;
    camera.owner = owner_;
    camera.id = events::NewId("cam_", now + milliseconds(static_cast<int64_t>(i)));  // lists are in the order of ids
    camera.name = RoomName(i);
    camera.labels = {"room=" + RoomName(i)};
    camera.document = R"({"gate":true,"refresh_s":5})";
    batch.emplace_back(events::Put<events::Camera>{camera});
    const bool episode = i == 0 && options.seed == 0;
    rooms_.push_back({camera.id, episode ? scenes::VirtualCamera(scenes::DemoEpisode().script, {})
                                         : scenes::VirtualCamera(options.seed + i, {})});
  }
  int num_rules = 0;
  for (const char* question : kQuestions) {
    const Json text(Json::Object{{"question", question}, {"for_s", 2}, {"clear_s", 3}, {"cooldown_s", 10}});
    events::Rule rule;
    rule.owner = owner_;
    rule.id = events::NewId("rul_", now + milliseconds(num_rules++));
    rule.document = text.Dump();
    PAWSIGHT_ASSIGN_OR_RETURN(rules::Rule parsed, rules::ParseRule(text));
    parsed.id = rule.id;
    rules_.push_back(std::move(parsed));
    batch.emplace_back(events::Put<events::Rule>{rule});
  }
  PAWSIGHT_RETURN_IF_ERROR(store_.Write(std::move(batch)).status());
  const auto brought = std::make_shared<std::promise<Status>>();
  std::future<Status> done = brought->get_future();
  registry_.Refresh(owner_, [brought](const Status& status) { brought->set_value(status); });
  return done.get();
}

void DemoHome::Play() {
  thread_ = std::jthread([this](std::stop_token stop) { Send(stop); });
}

void DemoHome::Send(std::stop_token stop) {
  const steady_clock::time_point start = steady_clock::now();
  const milliseconds period(static_cast<int64_t>(1000 / fps_));
  milliseconds t{0};
  while (gateway::SleepUntil(start + t, stop)) {
    ++number_;
    for (const Room& room : rooms_) {
      if (stop.stop_requested()) return;
      const scenes::Frame drawn = room.drawn.At(t % room.drawn.script().length);
      Result<std::vector<uint8_t>> jpeg = frames::EncodeJpeg(drawn.image, kJpegQuality);
      CHECK(jpeg.ok());  // ours is a picture
      gateway::Submission submission;
      submission.owner = owner_;
      submission.camera = room.camera;
      submission.sequence = number_;
      submission.encoded = std::make_shared<const std::vector<uint8_t>>(*std::move(jpeg));
      const gateway::Submitted submitted = path_.Submit(std::move(submission));
      if (!submitted.status.ok() && submitted.status.code() != StatusCode::kNotFound) {
        LogWarning("demo_frame_refused", {{"reason", submitted.status.message()}});
      }
    }
    // A machine that draws too slowly shows fewer frames, not a slower day.
    const auto passed = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
    t = std::max(t + period, passed / period * period);
  }
}

}  // namespace pawsight
