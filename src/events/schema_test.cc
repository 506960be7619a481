#include "events/schema.h"

#include <map>
#include <set>

#include "events/connection.h"
#include "events/sqlite.h"
#include "events/testing.h"

namespace pawsight::events {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SchemaTest : public StoreTest {
 protected:
  /// A store as the first release made it, with two events.
  void MakeSchemaOne() {
    RunSql(std::string(Migrations()[0]) +
           "PRAGMA journal_mode=WAL; PRAGMA user_version=1;"
           "INSERT INTO events (time_ms, type, camera, rule, detail) VALUES (5000, 'alert.fired', 'den', 'r', "
           "'{\"p\":1}'),"
           " (9000, 'alert.resolved', 'den', 'r', '{}');");
  }
};

TEST_F(SchemaTest, SchemaOneIsCopiedAndItsEventsBecomeThisMachines) {
  MakeSchemaOne();
  auto store = Open();
  const std::vector<Event> events = store->List(0, 10).value();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].sequence, 1);
  EXPECT_EQ(events[0].owner, kLocalOwner);
  EXPECT_EQ(events[0].time, Time(std::chrono::seconds(5)));
  EXPECT_EQ(events[0].detail.Dump(), "{\"p\":1}");
  EXPECT_EQ(store->Append(Alerted(1)).value().sequence, 3);
  EXPECT_EQ(store->GetEvent(std::string(kLocalOwner), events[1].id).value().type, "alert.resolved");
  store.reset();
  EXPECT_THAT(QuerySql("PRAGMA user_version"), ::testing::ElementsAre("3"));
  EXPECT_THAT(QuerySql("PRAGMA auto_vacuum"), ::testing::ElementsAre("2")) << "rewritten so that it can shrink";
  EXPECT_THAT(QuerySql("PRAGMA foreign_key_check"), IsEmpty());
  path_ += ".schema-1.bak";
  EXPECT_THAT(QuerySql("PRAGMA user_version"), ::testing::ElementsAre("1"));
  EXPECT_THAT(QuerySql("SELECT sequence FROM events"), SizeIs(2)) << "the copy is a whole store of the older schema";
}

TEST_F(SchemaTest, ANewerSchemaIsRefused) {
  Open();
  RunSql("PRAGMA user_version=99");
  const Status status = Store::Open(path_).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.reason(), "schema_newer");
  EXPECT_THAT(status.message(), HasSubstr("schema 99"));
}

TEST_F(SchemaTest, SchemaTwoKeepsItsRowsAndTheProgramThatWroteItRefusesItFromThenOn) {
  RunSql(
      std::string(Migrations()[0]) + Migrations()[1] +
      "PRAGMA journal_mode=WAL; PRAGMA user_version=2;"
      "INSERT INTO alerts VALUES ('own_00000000000000000000', 'alr_00000000000000000001', 'den', 'r', 'notice', 5000,"
      " NULL, '{}', 5000);");
  EXPECT_EQ(Open()->OwnerOf("alr_00000000000000000001").value(), kLocalOwner);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(Migrate(db, path_, Migrations().first(2)).reason(), "schema_newer");
  sqlite3_close(db);
  path_ += ".schema-2.bak";
  EXPECT_THAT(QuerySql("PRAGMA user_version"), ::testing::ElementsAre("2"));
  EXPECT_THAT(QuerySql("SELECT id FROM alerts"), SizeIs(1));
}

TEST_F(SchemaTest, AnOlderSchemaIsCopiedAndThenChanged) {
  ASSERT_TRUE(Open()->Append(Alerted(1)).ok());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  std::vector<const char*> steps(Migrations().begin(), Migrations().end());
  const auto known = static_cast<int64_t>(steps.size());
  steps.push_back("ALTER TABLE events ADD COLUMN extra TEXT;");
  EXPECT_TRUE(Migrate(db, path_, steps).ok());
  EXPECT_EQ(QueryInteger(db, "PRAGMA user_version").value(), known + 1);
  EXPECT_EQ(QueryInteger(db, "SELECT count(extra IS NULL) FROM events").value(), 1);
  EXPECT_TRUE(Migrate(db, path_, steps).ok()) << "nothing left to do";
  sqlite3_close(db);
  path_ += ".schema-" + std::to_string(known) + ".bak";
  EXPECT_THAT(Open()->List(0, 10).value(), SizeIs(1)) << "the copy is a whole store of the older schema";
}

TEST_F(SchemaTest, AStepThatFailsLeavesTheOlderSchema) {
  Open();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  std::vector<const char*> steps(Migrations().begin(), Migrations().end());
  steps.push_back("CREATE TABLE half (x); CREATE TABLE events (x);");
  EXPECT_FALSE(Migrate(db, path_, steps).ok());
  EXPECT_EQ(QueryInteger(db, "PRAGMA user_version").value(), static_cast<int64_t>(steps.size()) - 1);
  EXPECT_EQ(QueryInteger(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'").value(), 0);
  sqlite3_close(db);
}

TEST_F(SchemaTest, EveryTableIsStrictAndAllButTheInstallationsHaveAnOwner) {
  Open();
  EXPECT_THAT(QuerySql("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0"
                       " AND name NOT LIKE 'sqlite_%'"),
              IsEmpty());
  EXPECT_THAT(QuerySql("SELECT name FROM pragma_table_list AS tables WHERE schema = 'main' AND type = 'table'"
                       " AND name NOT LIKE 'sqlite_%' AND name NOT IN ('store', 'settings', 'owners') AND NOT EXISTS"
                       " (SELECT 1 FROM pragma_foreign_key_list(tables.name) WHERE \"table\" = 'owners'"
                       "  AND \"from\" = 'owner')"),
              IsEmpty())
      << "an owner who is erased must not be left in a table: give it an owner that refers to owners";
}

/// The steps of SQLite's plan for a statement.
std::vector<std::string> Plan(sqlite3* db, const std::string& sql) {
  std::vector<std::string> steps;
  Result<Statement> explain = Statement::Prepare(db, ("EXPLAIN QUERY PLAN " + sql).c_str());
  EXPECT_TRUE(explain.ok()) << explain.status().ToString();
  while (explain.ok()) {
    const Result<bool> row = explain->Step();
    if (!row.ok() || !*row) break;
    steps.push_back(explain->Text(3));
  }
  return steps;
}

/// Statements that any connection of this process has run, by hooking into SQLite's opening of connections.
std::map<std::string, int>& Traced() {
  static std::map<std::string, int> traced;
  return traced;
}
Mutex& TracedMutex() {
  static Mutex mutex;
  return mutex;
}
int Trace(unsigned, void*, void* statement, void*) {
  const char* sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
  if (sql == nullptr) return 0;
  MutexLock lock(TracedMutex());
  ++Traced()[sql];
  return 0;
}
int TraceNewConnection(sqlite3* db, char**, const void*) {
  return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, Trace, nullptr);
}

/// Every read, in every form that has an SQL of its own.
void ReadEverything(const Store& store, const Home& home, const std::string& event_id) {
  const std::string& owner = home.owner;
  for (const bool newest_first : {false, true}) {
    const Page page{.limit = 10, .newest_first = newest_first};
    EXPECT_TRUE(store.ListOwners(page).ok());
    EXPECT_TRUE(store.List<Device>(owner, page).ok());
    EXPECT_TRUE(store.List<Credential>(owner, page).ok());
    EXPECT_TRUE(store.List<Camera>(owner, page).ok());
    EXPECT_TRUE(store.List<Rule>(owner, page).ok());
    EXPECT_TRUE(store.List<Receiver>(owner, page).ok());
    for (const AlertFilter& filter :
         {AlertFilter{}, AlertFilter{.open_only = true}, AlertFilter{.camera = home.camera},
          AlertFilter{.rule = home.rule}, AlertFilter{.camera = home.camera, .rule = home.rule, .open_only = true},
          AlertFilter{.camera = home.camera, .rule = home.rule}}) {
      EXPECT_THAT(store.ListAlerts(owner, filter, page).value(), SizeIs(1));
    }
  }
  for (const std::string& camera : {std::string(), home.camera}) {
    EXPECT_THAT(store.ListEvents(owner, {.camera = camera}, 0, 10).value(), SizeIs(1));
    EXPECT_THAT(store.ListEventsBackwards(owner, {.camera = camera}, 0, 10).value(), SizeIs(1));
  }
  EXPECT_TRUE(store.GetOwner(owner).ok());
  EXPECT_FALSE(store.IsErased(owner).value());
  EXPECT_TRUE(store.Get<Device>(owner, home.device).ok());
  EXPECT_TRUE(store.Get<Credential>(owner, home.credential).ok());
  EXPECT_TRUE(store.Get<Camera>(owner, home.camera).ok());
  EXPECT_TRUE(store.Get<Rule>(owner, home.rule).ok());
  EXPECT_TRUE(store.Get<Receiver>(owner, home.receiver).ok());
  EXPECT_TRUE(store.Get<Alert>(owner, home.alert).ok());
  EXPECT_TRUE(store.Get<Picture>(owner, home.picture).ok());
  for (const std::string prefix : {"dev_", "crd_", "cam_", "rul_", "rcv_", "alr_"}) {
    EXPECT_EQ(store.OwnerOf(prefix + "00000000000000000000").status().code(), StatusCode::kNotFound);
  }
  EXPECT_EQ(store.OwnerOf(event_id).value(), owner);
  EXPECT_TRUE(store.FindCredential(home.Hash()).ok());
  EXPECT_TRUE(store.ReceiverSecret(owner, home.receiver).ok());
  EXPECT_TRUE(store.ListSnoozes(owner).ok());
  EXPECT_TRUE(store.ListAlertStates(owner).ok());
  EXPECT_TRUE(store.GetEvent(owner, event_id).ok());
  EXPECT_THAT(store.ListPendingReceivers("", "", 10).value(), SizeIs(1));
  EXPECT_TRUE(store.DueDeliveries(owner, home.receiver, Time::max(), 10).ok());
  EXPECT_TRUE(store.GetDelivery(owner, 1).ok());
  EXPECT_TRUE(store.ListDeliveries(owner, {.receiver = home.receiver}, 0, 10).ok());
  EXPECT_TRUE(store.ListDeliveries(owner, {.dead_only = true}, 0, 10).ok());
  EXPECT_TRUE(store.GetSetting("routing").ok());
  EXPECT_TRUE(store.ListAudit("", 0, 10).ok());
}

/// Every write.
void WriteEverything(Store& store, const Home& home) {
  const std::string& owner = home.owner;
  const auto write = [&store](WriteBatch batch) {
    const Result<Receipt> receipt = store.Write(std::move(batch));
    EXPECT_TRUE(receipt.ok()) << receipt.status().ToString();
  };
  write(BatchOf(DeliveryFailed{owner, 1, "no route", Time{}}, DeliveryDead{owner, 1, "gone"}, RetryDelivery{owner, 1},
                Delivered{owner, 1}, SetReceiverActive{owner, home.receiver, false, "410"},
                Put<Snooze>{{.owner = owner, .camera = home.camera, .until = Time::max()}},
                DeleteSnooze{owner, home.camera, ""}, Revoke{owner, home.credential},
                Put<Setting>{{.name = "routing", .document = "{}", .version = 1}},
                Audit{{.owner = owner, .action = "camera.put"}}, Put<Owner>{{.id = owner, .version = 1}},
                Put<Device>{{.owner = owner, .id = home.device, .version = 1}},
                Put<Camera>{{.owner = owner, .id = home.camera, .version = 1}},
                Put<Rule>{{.owner = owner, .id = home.rule, .version = 1}},
                Put<Receiver>{{.owner = owner, .id = home.receiver, .version = 2}}));
  write(BatchOf(Delete<Picture>{owner, home.picture}, Delete<Credential>{owner, home.credential},
                Delete<Device>{owner, home.device}, Delete<Camera>{owner, home.camera}, Delete<Rule>{owner, home.rule},
                Delete<Receiver>{owner, home.receiver}));
  EXPECT_TRUE(store.Sweep().ok());
  write(BatchOf(EraseOwner{owner}));
  EXPECT_TRUE(store.Sweep().ok());
  EXPECT_TRUE(store.IsErased(owner).value());
}

TEST_F(SchemaTest, EveryStatementFindsItsRowsByAnIndex) {
  ASSERT_EQ(sqlite3_auto_extension(reinterpret_cast<void (*)()>(TraceNewConnection)), SQLITE_OK);
  {
    const std::chrono::hours year(24 * 365);
    auto store = Open({.retention = {.events = year, .alerts = year, .deliveries = year, .audit = year}});
    const Home home("a");
    ASSERT_TRUE(store->Write(home.Rows()).ok());
    ASSERT_TRUE(store->Write(BatchOf(Put<Setting>{{.name = "routing", .document = "{}"}})).ok());
    const std::string event_id = store->Write(home.Fires()).value()[2].id;
    ReadEverything(*store, home, event_id);
    WriteEverything(*store, home);
  }
  sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(TraceNewConnection));

  // These walk a table on purpose: the oldest rows of it, no further than their LIMIT.
  const auto walks_on_purpose = [](const std::string& sql, const std::string& step) {
    return sql.find("FROM removals ORDER BY rowid LIMIT 1") != std::string::npos ||
           (sql.find("ORDER BY sequence LIMIT ?2") != std::string::npos && step == "SCAN events") ||
           (sql.find("ORDER BY id LIMIT ?2) AND time_ms") != std::string::npos && step == "SCAN audit") ||
           sql == "SELECT name FROM store";
  };
  // The key alone finds these, too, but only by walking through all of an owner's rows.
  const std::map<std::string, std::string> wants = {
      {"FROM alerts WHERE owner = ?1 AND resolved_ms IS NULL", "alerts_open"},
      {"FROM alerts WHERE owner = ?1 AND camera", "alerts_by_camera (owner=? AND camera=? AND id"},
      {"FROM alerts WHERE owner = ?1 AND rule", "alerts_by_rule (owner=? AND rule=? AND id"},
      {"FROM alerts WHERE resolved_ms IS NOT NULL", "alerts_resolved"},
      {"SELECT owner FROM alerts WHERE id", "alerts_by_id (id=?)"},
      {"FROM events WHERE owner = ?1 AND sequence", "events_by_owner (owner=? AND rowid"},
      {"FROM events WHERE owner = ?1 AND camera", "events_by_camera (owner=? AND camera=? AND rowid"},
      {"WHERE state = 0 AND (owner, receiver) >", "outbox_pending"},
      {"WHERE outbox.state = 0", "outbox_pending (owner=? AND receiver=? AND next_ms<?)"},
      {"WHERE outbox.state = 2", "outbox_dead (owner=? AND rowid>?)"},
      {"WHERE outbox.owner = ?1 AND outbox.receiver = ?4", "outbox_by_receiver (owner=? AND receiver=? AND rowid>?)"},
      {"FROM outbox WHERE finished_ms IS NOT NULL", "outbox_finished"},
      {"FROM outbox WHERE owner = ?1 AND receiver = ?2", "outbox_by_receiver (owner=? AND receiver=?)"},
      {"FROM audit WHERE owner IS ?1", "audit_by_owner (owner=? AND rowid<?)"},
      {"FROM pictures WHERE expires_ms", "pictures_by_end"},
      {"FROM pictures WHERE owner = ?1 AND camera", "pictures_by_camera"},
      {"FROM snoozes WHERE until_ms", "snoozes_by_end"},
      {"FROM snoozes WHERE owner = ?1 AND rule", "snoozes_by_rule"},
      {"FROM credentials WHERE owner IS nullif(?1, '') AND id >", "credentials_by_owner (owner=? AND id>?)"},
      {"cameras SET device = NULL", "cameras_by_device"},
  };
  std::set<std::string> met;
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  int checked = 0;
  MutexLock lock(TracedMutex());
  for (const auto& [sql, times] : Traced()) {
    if (!sql.starts_with("SELECT") && !sql.starts_with("UPDATE") && !sql.starts_with("DELETE") &&
        !sql.starts_with("INSERT")) {
      continue;
    }
    if (sql.find("pragma") != std::string::npos || sql.find("sqlite_") != std::string::npos) continue;
    if (sql.find("INSERT INTO store") != std::string::npos || sql.starts_with("UPDATE events SET recorded")) continue;
    ++checked;
    const std::vector<std::string> plan = Plan(db, sql);
    for (const auto& [part, index] : wants) {
      if (sql.find(part) == std::string::npos) continue;
      EXPECT_THAT(plan, ::testing::Contains(HasSubstr(index))) << sql;
      met.insert(part);
    }
    for (const std::string& step : plan) {
      if (walks_on_purpose(sql, step)) continue;
      EXPECT_FALSE(step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW") << sql << "\n  " << step;
      EXPECT_THAT(step, ::testing::Not(HasSubstr("TEMP B-TREE"))) << sql;
    }
  }
  EXPECT_EQ(met.size(), wants.size());
  EXPECT_GT(checked, 80) << "the tour of all calls has become shorter";
  sqlite3_close(db);
}

}  // namespace
}  // namespace pawsight::events
