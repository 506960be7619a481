#include "apps/demo_home.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/log.h"
#include "frames/encode.h"
#include "gateway/source.h"
#include "rules/rule.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kJpegQuality = 85;
constexpr milliseconds kHeadStart{6000};  // into the rooms' day: the first alert comes sooner
constexpr const char* kRoomNames[] = {"living room", "den", "kitchen", "hall", "study", "nursery", "attic", "loft"};
constexpr size_t kGroundFloor = 4;  // of them
constexpr const char* kQuestions[] = {"Is the dog on the couch?", "Is the dog chewing the couch?",
                                      "Is the cat on the table?", "Is there a person?"};

std::string RoomName(size_t number) {
  const size_t known = std::size(kRoomNames);
  return kRoomNames[number % known] + (number < known ? std::string() : " " + std::to_string(number / known + 1));
}

/// 0: the demonstration's episode. Without a seed, rooms in which soon something happens.
uint64_t SeedOf(const DemoHomeOptions& options, size_t room) {
  constexpr uint64_t kShown[] = {0, 8, 5, 6};
  if (options.seed != 0) return options.seed + room;
  return room < std::size(kShown) ? kShown[room] : room + 8;
}

}  // namespace

Status DemoHome::Furnish(const DemoHomeOptions& options) {
  fps_ = options.fps;
  std::vector<events::Camera> cameras;
  for (size_t i = 0; i < static_cast<size_t>(options.cameras); ++i) {
    events::Camera camera;
    camera.name = RoomName(i);
    camera.labels = {i % std::size(kRoomNames) < kGroundFloor ? "floor=ground" : "floor=upper"};
    camera.document = R"({"gate":true,"refresh_s":5})";
    cameras.push_back(std::move(camera));
  }
  Json rules(Json::Array{});
  for (const char* question : kQuestions) {
    rules.Append(Json::Object{{"question", question}, {"for_s", 2}, {"clear_s", 3}, {"cooldown_s", 10}});
  }
  PAWSIGHT_RETURN_IF_ERROR(home_.Furnish("demo", &cameras, rules::ParseRules(rules).value()));  // ours: right, or a bug
  for (size_t i = 0; i < cameras.size(); ++i) {
    const uint64_t seed = SeedOf(options, i);
    rooms_.push_back({cameras[i].id, seed == 0 ? scenes::VirtualCamera(scenes::DemoEpisode().script, {})
                                               : scenes::VirtualCamera(seed, {})});
  }
  return Ok();
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
      const scenes::Frame drawn = room.drawn.At((t + kHeadStart) % room.drawn.script().length);
      Result<std::vector<uint8_t>> jpeg = frames::EncodeJpeg(drawn.image, kJpegQuality);
      CHECK(jpeg.ok());  // ours is a picture
      gateway::Submission submission;
      submission.owner = home_.owner();
      submission.camera = room.camera;
      submission.sequence = number_;
      submission.encoded = std::make_shared<const std::vector<uint8_t>>(*std::move(jpeg));
      const gateway::Submitted submitted = home_.service().path().Submit(std::move(submission));
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
