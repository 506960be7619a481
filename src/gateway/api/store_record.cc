#include "gateway/api/store_record.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "gateway/api/alert_picture.h"

namespace pawsight::gateway {
namespace {

constexpr size_t kMaxEventReceivers = 64;  // events::AddEvent's
constexpr size_t kMaxPictures = 3;         // of one frame's alerts: a batch has its limit in bytes

/// What an alert's row says after this change. The frame is that of the firing, whose picture is kept: the row keeps
/// what a later change does not say.
Json AlertDetail(const AlertNotice& notice, const Json& detail) {
  if (notice.change == AlertChange::kFired) return detail;
  Json kept{Json::Object{}};
  for (const auto& [name, value] : detail.as_object()) {
    if (name != "frame") kept.Set(name, value);
  }
  return kept;
}

}  // namespace

std::string PictureIdOf(const std::string& alert) { return "pic_" + alert.substr(std::min<size_t>(4, alert.size())); }

StoreRecord::StoreRecord(events::Store& store, const Clock& clock, std::chrono::hours keep_pictures,
                         PictureStation::Make make)
    : store_(store),
      clock_(clock),
      keep_pictures_(keep_pictures),
      pictures_(make != nullptr ? std::move(make) : PictureStation::Make(PictureOf)) {}

PictureStation::Frame StoreRecord::FrameToKeep(const std::vector<RecordEntry>& entries) const {
  const auto fired =
      std::find_if(entries.begin(), entries.end(), [](const auto& entry) { return entry.picture != nullptr; });
  if (fired == entries.end()) return nullptr;
  const auto camera = registry_->FindCamera(fired->camera);
  return camera && camera->keep_pictures ? fired->picture : nullptr;
}

void StoreRecord::AddNotice(const RecordEntry& entry, const std::vector<uint8_t>& picture,
                            events::WriteBatch* batch) const {
  const AlertNotice& notice = *entry.notice;
  const auto camera = registry_->FindCamera(notice.camera);
  events::Event event = EventOf(notice);
  event.owner = entry.owner;
  event.detail.Set("camera_name", camera ? camera->name : std::string());
  if (entry.picture != nullptr && !picture.empty()) {
    events::Picture row;
    row.owner = entry.owner;
    row.id = PictureIdOf(notice.id);
    row.camera = notice.camera;
    row.content_type = "image/jpeg";
    row.bytes = picture;
    row.expires = clock_.Now() + keep_pictures_;
    event.detail.Set("picture", row.id);
    batch->emplace_back(events::Put<events::Picture>{std::move(row)});
  }
  events::Alert alert;
  alert.owner = entry.owner;
  alert.id = notice.id;
  alert.camera = notice.camera;
  alert.rule = notice.rule;
  alert.severity = SeverityName(notice.severity);
  alert.fired = notice.change == AlertChange::kFired ? notice.time : notice.since;
  if (notice.change == AlertChange::kResolved) alert.resolved = notice.time;
  alert.document = AlertDetail(notice, event.detail).Dump();
  batch->emplace_back(events::Put<events::Alert>{std::move(alert)});
  std::vector<std::string> receivers = notice.change == AlertChange::kUpdated
                                           ? registry_->WantingUpdates(entry.owner, entry.receivers)
                                           : entry.receivers;
  if (receivers.size() > kMaxEventReceivers) receivers.resize(kMaxEventReceivers);
  batch->emplace_back(events::AddEvent{std::move(event), std::move(receivers)});
}

void StoreRecord::Write(std::vector<RecordEntry> entries, Done done) {
  CHECK(registry_ != nullptr);
  PictureStation::Frame frame = FrameToKeep(entries);
  if (frame == nullptr) return Submit(entries, {}, std::move(done));
  const auto both = std::make_shared<std::pair<std::vector<RecordEntry>, Done>>(std::move(entries), std::move(done));
  const auto write = [this, both](const Result<std::vector<uint8_t>>& picture) {
    if (!picture.ok()) {
      LogWarning("picture_not_kept", {{"camera", both->first.front().camera}, {"reason", picture.status().message()}});
    }
    Submit(both->first, picture.ok() ? *picture : std::vector<uint8_t>(), std::move(both->second));
  };
  PictureStation::Done made = write;
  const Status taken = pictures_.Offer(both->first.front().owner, std::move(frame), made);
  if (!taken.ok()) write(taken);
}

void StoreRecord::Submit(const std::vector<RecordEntry>& entries, const std::vector<uint8_t>& picture, Done done) {
  events::WriteBatch batch;
  size_t num_pictures = 0;
  std::vector<std::optional<size_t>> event_writes;  // where in the batch each entry's event is
  for (const RecordEntry& entry : entries) {
    if (entry.state) {
      events::AlertState state;
      state.owner = entry.owner;
      state.camera = entry.camera;
      state.rule = entry.rule;
      state.document = *entry.state;
      batch.emplace_back(events::Put<events::AlertState>{std::move(state)});
    }
    const bool room = num_pictures < kMaxPictures;
    if (entry.notice) AddNotice(entry, room ? picture : std::vector<uint8_t>(), &batch);
    num_pictures += entry.picture != nullptr ? 1 : 0;
    event_writes.push_back(entry.notice ? std::optional(batch.size() - 1) : std::nullopt);
  }
  if (batch.empty()) return done(std::vector<std::string>(entries.size()));
  store_.Submit(std::move(batch), [done = std::move(done), event_writes](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return done(receipt.status());
    std::vector<std::string> ids;
    for (const std::optional<size_t> at : event_writes) ids.push_back(at ? receipt->at(*at).id : std::string());
    done(std::move(ids));
  });
}

}  // namespace pawsight::gateway
