// events/testing.h: what this folder's tests share: a store in a directory of its own, and a home with a row of every
// kind.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "events/store.h"

namespace pawsight::events {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-events-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/events.sqlite";
  }
  ~StoreTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Store> Open(const StoreOptions& options = {}) {
    Result<std::unique_ptr<Store>> store = Store::Open(path_, options);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return store.ok() ? std::move(*store) : nullptr;
  }
  static Event Alerted(int n) {
    Event event;
    event.time = Time(std::chrono::seconds(1000 + n));
    event.type = "alert.fired";
    event.camera = "den";
    event.rule = "rule-" + std::to_string(n);
    event.detail = Json(Json::Object{{"p_yes", 0.5}, {"note", "über \"alles\"\n"}});
    return event;
  }
  /// Runs SQL on a connection of its own.
  void RunSql(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  /// The first column of each row.
  std::vector<std::string> QuerySql(const std::string& sql) {
    std::vector<std::string> found;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    const auto add = [](void* to, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(to)->push_back(values[0] == nullptr ? "" : values[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), add, &found, nullptr), SQLITE_OK) << sql << ": " << sqlite3_errmsg(db);
    sqlite3_close(db);
    return found;
  }

  std::string directory_;
  std::string path_;
};

template <typename... Writes>
WriteBatch BatchOf(Writes... writes) {
  WriteBatch batch;
  (batch.emplace_back(std::move(writes)), ...);
  return batch;
}

/// Ids of a home named `name`.
struct Home {
  explicit Home(const std::string& name)
      : owner("own_" + name),
        device("dev_" + name),
        camera("cam_" + name),
        rule("rul_" + name),
        receiver("rcv_" + name),
        alert("alr_" + name),
        picture("pic_" + name),
        credential("crd_" + name) {}
  std::string owner, device, camera, rule, receiver, alert, picture, credential;

  std::array<uint8_t, 32> Hash() const {
    std::array<uint8_t, 32> hash{};
    for (size_t i = 0; i < 32; ++i) hash[i] = static_cast<uint8_t>(owner[i % owner.size()]);
    return hash;
  }

  /// The owner with its device, camera, rule, receiver (secret "s3cret-" and the owner) and an operator's credential.
  WriteBatch Rows() const {
    return BatchOf(
        Put<Owner>{{.id = owner, .name = "home of " + owner, .document = "{}"}},
        Put<Device>{{.owner = owner, .id = device, .name = "box"}},
        Put<Camera>{{.owner = owner,
                     .id = camera,
                     .device = device,
                     .name = "den",
                     .labels = {"indoor", "dog's \"own\""},
                     .source = "rtsp://user:pass@10.0.0.9/1",
                     .zone = "Europe/Berlin",
                     .keep_pictures = true,
                     .document = "{\"gate\":1}"}},
        Put<Rule>{{.owner = owner, .id = rule, .document = "{\"question\":\"Is the dog on the couch?\"}"}},
        Put<Receiver>{{.owner = owner,
                       .id = receiver,
                       .kind = "webhook",
                       .name = "mine",
                       .document = "{\"url\":\"https://example.org\"}",
                       .secret = "s3cret-" + owner}},
        Put<Credential>{{.id = credential, .owner = owner, .role = Role::kOperator, .name = "me", .hash = Hash()}});
  }
  /// An alert fires: its state, the alert, the event, a delivery and a picture.
  WriteBatch Fires() const {
    return BatchOf(Put<AlertState>{{.owner = owner, .camera = camera, .rule = rule, .document = "firing"}},
                   Put<Alert>{{.owner = owner,
                               .id = alert,
                               .camera = camera,
                               .rule = rule,
                               .severity = "warning",
                               .fired = Time(std::chrono::seconds(1000)),
                               .document = "{\"p_yes\":0.9}"}},
                   AddEvent{FiredEvent(), {receiver}},
                   Put<Picture>{{.owner = owner,
                                 .id = picture,
                                 .camera = camera,
                                 .content_type = "image/jpeg",
                                 .bytes = std::vector<uint8_t>(3000, 0xA5),
                                 .expires = Time(std::chrono::hours(24 * 365 * 200))}});
  }
  Event FiredEvent() const {
    return {.owner = owner,
            .time = Time(std::chrono::seconds(1000)),
            .type = "alert.fired",
            .camera = camera,
            .rule = rule,
            .alert = alert,
            .detail = Json(Json::Object{{"p_yes", 0.9}})};
  }
};

/// Alert number n of a home: in the order of n, so that it shows when one is missing, half there or not the last.
inline WriteBatch NumberedAlert(const Home& home, int64_t n) {
  const std::string number = std::to_string(n);
  Event event = home.FiredEvent();
  event.alert = "alr_" + number;
  return BatchOf(
      Put<AlertState>{{.owner = home.owner, .camera = home.camera, .rule = home.rule, .document = number}},
      Put<Alert>{
          {.owner = home.owner, .id = event.alert, .camera = home.camera, .rule = home.rule, .document = number}},
      AddEvent{event, {home.receiver}});
}

/// The numbered alerts in the store are 1..N without a gap, each with its event and its delivery, the state is that of
/// the last, and N >= acknowledged. Gives N.
inline int64_t ExpectWhole(const Store& store, const Home& home, int64_t acknowledged) {
  std::vector<std::string> of_events;
  for (int64_t after = 0;;) {
    const std::vector<Event> page = store.ListEvents(home.owner, {}, after, kMaxListed).value();
    if (page.empty()) break;
    for (const Event& event : page) of_events.push_back(event.alert);
    after = page.back().sequence;
  }
  std::vector<std::string> of_deliveries;
  for (int64_t after = 0;;) {
    const std::vector<Delivery> page =
        store.ListDeliveries(home.owner, {.receiver = home.receiver}, after, kMaxListed).value();
    if (page.empty()) break;
    for (const Delivery& delivery : page) of_deliveries.push_back(delivery.event.alert);
    after = page.back().id;
  }
  int64_t num_alerts = 0;
  for (Page page{.limit = kMaxListed};;) {
    const std::vector<Alert> alerts = store.List<Alert>(home.owner, page).value();
    if (alerts.empty()) break;
    num_alerts += static_cast<int64_t>(alerts.size());
    page.after = alerts.back().id;
  }
  const auto count = static_cast<int64_t>(of_events.size());
  EXPECT_GE(count, acknowledged) << "what was acknowledged is there";
  EXPECT_EQ(num_alerts, count) << "no half batch";
  EXPECT_EQ(of_deliveries, of_events) << "no half batch";
  for (int64_t n = 1; n <= count; ++n) {
    if (of_events[static_cast<size_t>(n - 1)] == "alr_" + std::to_string(n)) continue;
    ADD_FAILURE() << "alert " << n << " is missing";
    break;
  }
  const std::vector<AlertState> states = store.ListAlertStates(home.owner).value();
  EXPECT_EQ(states.empty() ? "0" : states[0].document, std::to_string(count)) << "the state is that of the last alert";
  return count;
}

}  // namespace pawsight::events
