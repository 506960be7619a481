// A disk that fails and a power cut, by a layer between SQLite and the system (an SQLite VFS) that can refuse writes
// and syncs, and remembers what was written since the last sync: that is what a power cut may lose, sector by sector.
#include <sqlite3.h>
#include <string.h>

#include <atomic>
#include <fstream>
#include <map>

#include "base/mutex.h"
#include "base/rng.h"
#include "events/testing.h"

namespace pawsight::events {
namespace {

using std::chrono::seconds;

constexpr size_t kSector = 512;

/// One file as a disk has it: what is certain, and what was written since.
struct DiskFile {
  std::string durable;
  struct Change {
    int64_t at;
    std::string bytes;
    bool truncates;  // to `at`
  };
  std::vector<Change> unsynced;
};

void ApplyChange(std::string& content, const DiskFile::Change& change) {
  const auto at = static_cast<size_t>(change.at);
  if (change.truncates) {
    content.resize(at);
    return;
  }
  if (content.size() < at + change.bytes.size()) content.resize(at + change.bytes.size());
  content.replace(at, change.bytes.size(), change.bytes);
}

/// The disk under all connections that are opened while it is installed.
class Disk {
 public:
  static Disk& Get() {
    static Disk disk;
    return disk;
  }
  void Install();
  void Remove();

  std::atomic<int> write_error{SQLITE_OK};  // what every write gives
  std::atomic<int> sync_error{SQLITE_OK};   // what every sync gives
  std::atomic<int> num_syncs{0};

  void Write(const std::string& path, int64_t at, const void* data, int size) {
    MutexLock lock(mu_);
    files_[path].unsynced.push_back(
        {at, std::string(static_cast<const char*>(data), static_cast<size_t>(size)), false});
  }
  void Truncate(const std::string& path, int64_t size) {
    MutexLock lock(mu_);
    files_[path].unsynced.push_back({size, "", true});
  }
  void Sync(const std::string& path) {
    MutexLock lock(mu_);
    DiskFile& file = files_[path];
    for (const DiskFile::Change& change : file.unsynced) ApplyChange(file.durable, change);
    file.unsynced.clear();
  }

  void Delete(const std::string& path) {
    MutexLock lock(mu_);
    files_.erase(path);
  }

  /// What is on the disk when the power fails now: all that was synced, and of the rest each sector or not.
  std::map<std::string, std::string> Cut(Rng& rng) {
    MutexLock lock(mu_);
    std::map<std::string, std::string> left;
    for (const auto& [path, file] : files_) {
      std::string content = file.durable;
      for (const DiskFile::Change& change : file.unsynced) {
        if (change.truncates) {
          if (rng.Chance(0.5)) ApplyChange(content, change);
          continue;
        }
        for (size_t start = 0; start < change.bytes.size(); start += kSector) {
          if (rng.Chance(0.5)) continue;
          ApplyChange(content, {change.at + static_cast<int64_t>(start), change.bytes.substr(start, kSector), false});
        }
      }
      left[path] = std::move(content);
    }
    return left;
  }

 private:
  Mutex mu_;
  std::map<std::string, DiskFile> files_ GUARDED_BY(mu_);
};

/// A file of SQLite's: this, then the real one in the same memory.
struct ShimFile {
  sqlite3_file base;
  const std::string* path;  // null: a temporary file
  sqlite3_file* real;
};
ShimFile* Shim(sqlite3_file* file) { return reinterpret_cast<ShimFile*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Shim(file)->real; }

int ShimClose(sqlite3_file* file) {
  const int code = Real(file)->pMethods->xClose(Real(file));
  delete Shim(file)->path;
  return code;
}
int ShimRead(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return Real(file)->pMethods->xRead(Real(file), to, size, at);
}
int ShimWrite(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  if (const int error = Disk::Get().write_error; error != SQLITE_OK) return error;
  const int code = Real(file)->pMethods->xWrite(Real(file), data, size, at);
  if (code == SQLITE_OK && Shim(file)->path != nullptr) Disk::Get().Write(*Shim(file)->path, at, data, size);
  return code;
}
int ShimTruncate(sqlite3_file* file, sqlite3_int64 size) {
  const int code = Real(file)->pMethods->xTruncate(Real(file), size);
  if (code == SQLITE_OK && Shim(file)->path != nullptr) Disk::Get().Truncate(*Shim(file)->path, size);
  return code;
}
int ShimSync(sqlite3_file* file, int) {
  ++Disk::Get().num_syncs;
  if (const int error = Disk::Get().sync_error; error != SQLITE_OK) return error;
  if (Shim(file)->path != nullptr) Disk::Get().Sync(*Shim(file)->path);
  return SQLITE_OK;  // the true disk need not be waited for: nothing cuts its power
}
int ShimFileSize(sqlite3_file* file, sqlite3_int64* size) { return Real(file)->pMethods->xFileSize(Real(file), size); }
int ShimLock(sqlite3_file* file, int level) { return Real(file)->pMethods->xLock(Real(file), level); }
int ShimUnlock(sqlite3_file* file, int level) { return Real(file)->pMethods->xUnlock(Real(file), level); }
int ShimCheckLock(sqlite3_file* file, int* held) { return Real(file)->pMethods->xCheckReservedLock(Real(file), held); }
int ShimControl(sqlite3_file* file, int op, void* what) {
  return Real(file)->pMethods->xFileControl(Real(file), op, what);
}
int ShimSectorSize(sqlite3_file* file) { return Real(file)->pMethods->xSectorSize(Real(file)); }
/// None of what a modern disk promises is promised here.
int ShimTraits(sqlite3_file*) { return 0; }
int ShimShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return Real(file)->pMethods->xShmMap(Real(file), page, size, extend, at);
}
int ShimShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
}
void ShimShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
int ShimShmUnmap(sqlite3_file* file, int remove) { return Real(file)->pMethods->xShmUnmap(Real(file), remove); }

const sqlite3_io_methods kMethods = {
    2,           ShimClose,      ShimRead,      ShimWrite,   ShimTruncate,   ShimSync,   ShimFileSize,
    ShimLock,    ShimUnlock,     ShimCheckLock, ShimControl, ShimSectorSize, ShimTraits, ShimShmMap,
    ShimShmLock, ShimShmBarrier, ShimShmUnmap,  nullptr,     nullptr};

sqlite3_vfs* RealVfs() {
  static sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
  return real;
}

int ShimOpen(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* given) {
  ShimFile* shim = Shim(file);
  shim->real = reinterpret_cast<sqlite3_file*>(shim + 1);
  shim->path = nullptr;
  shim->base.pMethods = nullptr;
  const int code = RealVfs()->xOpen(RealVfs(), name, shim->real, flags, given);
  if (shim->real->pMethods == nullptr) return code;
  shim->base.pMethods = &kMethods;
  if (name != nullptr) shim->path = new std::string(name);
  return code;
}

int ShimDelete(sqlite3_vfs*, const char* name, int sync_directory) {
  Disk::Get().Delete(name);  // SQLite has the directory synced where it matters
  return RealVfs()->xDelete(RealVfs(), name, sync_directory);
}

sqlite3_vfs& ShimVfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs made = *RealVfs();  // everything but files is the system's
    made.zName = "shim";
    made.pNext = nullptr;
    made.szOsFile = static_cast<int>(sizeof(ShimFile)) + RealVfs()->szOsFile;
    made.xOpen = ShimOpen;
    made.xDelete = ShimDelete;
    return made;
  }();
  return vfs;
}

void Disk::Install() {
  (void)RealVfs();
  sqlite3_vfs_register(&ShimVfs(), 1);
  write_error = SQLITE_OK;
  sync_error = SQLITE_OK;
  MutexLock lock(mu_);
  files_.clear();
}
void Disk::Remove() { sqlite3_vfs_unregister(&ShimVfs()); }

class DiskFaultsTest : public StoreTest {
 protected:
  DiskFaultsTest() { Disk::Get().Install(); }
  ~DiskFaultsTest() override { Disk::Get().Remove(); }

  Status WriteAlert(Store& store, int64_t n) { return store.Write(NumberedAlert(home_, n)).status(); }

  const Home home_{"mine"};
};

TEST_F(DiskFaultsTest, AFailedSyncIsNeverAcknowledgedAndTheStoreOpensTheFileAnew) {
  ManualClock clock;
  auto store = Open({.clock = &clock});
  ASSERT_TRUE(store->Write(home_.Rows()).ok());
  ASSERT_TRUE(WriteAlert(*store, 1).ok());
  Disk::Get().sync_error = SQLITE_IOERR_FSYNC;
  for (int i = 0; i < 5; ++i) {
    const Status status = WriteAlert(*store, 2);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status.ToString();
    EXPECT_EQ(status.reason(), "disk_error");
    clock.Advance(seconds(2));
  }
  EXPECT_EQ(store->Stats().writable.reason(), "disk_error");
  EXPECT_THAT(store->ListEvents(home_.owner, {}, 0, 10).value(), ::testing::SizeIs(1)) << "reads go on";
  Disk::Get().sync_error = SQLITE_OK;
  clock.Advance(seconds(2));
  ASSERT_TRUE(WriteAlert(*store, 2).ok()) << "by itself";
  EXPECT_TRUE(store->Stats().writable.ok());
  ExpectWhole(*store, home_, 2);
  store.reset();
  store = Open();
  ExpectWhole(*store, home_, 2);
}

TEST_F(DiskFaultsTest, AFailedWriteToo) {
  ManualClock clock;
  auto store = Open({.clock = &clock});
  ASSERT_TRUE(store->Write(home_.Rows()).ok());
  for (int64_t n = 1; n <= 20; ++n) {
    Disk::Get().write_error = SQLITE_IOERR_WRITE;
    EXPECT_EQ(WriteAlert(*store, n).reason(), "disk_error");
    clock.Advance(seconds(2));
    EXPECT_FALSE(WriteAlert(*store, n).ok()) << "not to be opened yet";
    Disk::Get().write_error = SQLITE_OK;
    clock.Advance(seconds(2));
    ASSERT_TRUE(WriteAlert(*store, n).ok());
  }
  ExpectWhole(*store, home_, 20);
}

TEST_F(DiskFaultsTest, AFullDiskRefusesEveryBatchAndNeedsNoOpening) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_.Rows()).ok());
  ASSERT_TRUE(WriteAlert(*store, 1).ok());
  Disk::Get().write_error = SQLITE_FULL;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(WriteAlert(*store, 2).reason(), "disk_full");
  EXPECT_EQ(store->Stats().writable.reason(), "disk_full");
  Disk::Get().write_error = SQLITE_OK;
  EXPECT_TRUE(WriteAlert(*store, 2).ok());
  EXPECT_EQ(ExpectWhole(*store, home_, 2), 2);
}

TEST_F(DiskFaultsTest, AStoreOnAFullDiskIsOpenedAndReadWithoutAWrite) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_.Rows()).ok());
  ASSERT_TRUE(WriteAlert(*store, 1).ok());
  store.reset();
  Disk::Get().write_error = SQLITE_FULL;
  store = Open();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(ExpectWhole(*store, home_, 1), 1);
  Disk::Get().write_error = SQLITE_OK;
  EXPECT_TRUE(WriteAlert(*store, 2).ok());
}

TEST_F(DiskFaultsTest, EveryAcknowledgementHasASyncBehindItAndAGroupHasOne) {
  auto store = Open();
  ASSERT_TRUE(store->Write(home_.Rows()).ok());
  int before = Disk::Get().num_syncs;
  for (int64_t n = 1; n <= 10; ++n) ASSERT_TRUE(WriteAlert(*store, n).ok());
  EXPECT_GE(Disk::Get().num_syncs - before, 10);
  before = Disk::Get().num_syncs;
  for (int64_t n = 11; n <= 300; ++n) store->Submit(NumberedAlert(home_, n), nullptr);
  ASSERT_TRUE(WriteAlert(*store, 301).ok());
  EXPECT_LT(Disk::Get().num_syncs - before, 150) << "many share one";
  EXPECT_EQ(ExpectWhole(*store, home_, 301), 301);
}

TEST_F(DiskFaultsTest, AStoreThatGoesAwayNeverWaitsForTheDisk) {
  const int before = Disk::Get().num_syncs;
  {
    const auto store = Open({.durable = false});
    ASSERT_TRUE(store->Write(home_.Rows()).ok());
    for (int64_t n = 1; n <= 10; ++n) ASSERT_TRUE(WriteAlert(*store, n).ok());
    EXPECT_EQ(ExpectWhole(*store, home_, 10), 10);
  }
  EXPECT_EQ(Disk::Get().num_syncs, before) << "opening and closing included";
}

TEST_F(DiskFaultsTest, WhatWasAcknowledgedSurvivesAPowerCut) {
  Rng rng(3);
  std::atomic<int64_t> acknowledged = 0;
  auto store = Open();
  ASSERT_TRUE(store->Write(home_.Rows()).ok());
  int64_t next = 1;
  for (int cut = 0; cut < 25; ++cut) {
    for (int i = rng.Below(120) + 1; i > 0; --i) {
      const int64_t n = next++;
      store->Submit(NumberedAlert(home_, n), [&acknowledged, n](const Result<Receipt>& receipt) {
        ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
        acknowledged = n;
      });
    }
    if (rng.Chance(0.3)) RunSql("PRAGMA wal_checkpoint(PASSIVE)");
    if (rng.Chance(0.1)) RunSql("PRAGMA wal_checkpoint(TRUNCATE)");
    const int64_t promised = acknowledged;
    const std::map<std::string, std::string> left = Disk::Get().Cut(rng);
    const std::string after = directory_ + "/after-" + std::to_string(cut);
    std::filesystem::create_directory(after);
    for (const auto& [path, content] : left) {
      if (std::filesystem::path(path).parent_path() != directory_) continue;
      std::ofstream(after + "/" + std::filesystem::path(path).filename().string(), std::ios::binary) << content;
    }
    Result<std::unique_ptr<Store>> found = Store::Open(after + "/events.sqlite");
    ASSERT_TRUE(found.ok()) << "cut " << cut << ": " << found.status().ToString();
    ExpectWhole(**found, home_, promised);
    found = Unavailable("closed");
    ASSERT_FALSE(HasFailure()) << "cut " << cut;
    std::filesystem::remove_all(after);
  }
}

}  // namespace
}  // namespace pawsight::events
