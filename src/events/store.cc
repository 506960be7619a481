// Opening, writing, and what is written alone. The reads are in read_rows.cc and read_alerts.cc.
#include "events/store.h"

#include <algorithm>
#include <future>
#include <utility>

#include "events/parts.h"

namespace pawsight::events {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kAdmin:
      return "admin";
    case Role::kOperator:
      return "operator";
    case Role::kViewer:
      return "viewer";
    case Role::kDevice:
      return "device";
  }
  return "";
}

std::string_view DeliveryStateName(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending:
      return "pending";
    case DeliveryState::kDelivered:
      return "delivered";
    case DeliveryState::kDead:
      return "dead";
  }
  return "";
}

bool IsUsable(const Credential& credential, Time now) {
  return !credential.revoked.has_value() && (!credential.expires.has_value() || now < *credential.expires);
}

Result<std::unique_ptr<Readers>> Readers::Open(const std::string& path, const StoreOptions& options) {
  auto readers = std::make_unique<Readers>();
  MutexLock lock(readers->mu_);
  for (int i = 0; i < std::clamp(options.num_readers, 1, 16); ++i) {
    PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                              Connection::Open(path, {.lock_wait = options.lock_wait, .durable = options.durable}));
    readers->free_.push_back(std::move(connection));
  }
  return readers;
}

std::unique_ptr<Connection> Readers::Take() {
  MutexLock lock(mu_);
  while (free_.empty()) returned_.Wait(mu_);
  std::unique_ptr<Connection> connection = std::move(free_.back());
  free_.pop_back();
  return connection;
}

void Readers::Return(std::unique_ptr<Connection> connection) {
  {
    MutexLock lock(mu_);
    free_.push_back(std::move(connection));
  }
  returned_.NotifyOne();
}

Result<std::unique_ptr<Store>> Store::Open(const std::string& path, const StoreOptions& given) {
  auto parts = std::make_unique<Parts>();
  StoreOptions options = given;
  if (options.clock == nullptr) options.clock = &parts->system_clock;
  parts->clock = options.clock;
  PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                            Connection::Open(path, {.write = true,
                                                    .create = true,
                                                    .lock_wait = options.lock_wait,
                                                    .durable = options.durable,
                                                    .max_bytes = options.max_bytes}));
  PAWSIGHT_ASSIGN_OR_RETURN(parts->name, connection->StoreName());
  PAWSIGHT_ASSIGN_OR_RETURN(parts->readers, Readers::Open(path, options));
  parts->writer = std::make_unique<Writer>(path, options, std::move(connection), parts->name);
  return std::unique_ptr<Store>(new Store(std::move(parts)));
}

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Store::~Store() {
  Close();  // while all of the store is still there for callbacks that submit
}

void Store::Close() {
  CHECK(!parts_->writer->OnWriterThread());  // it would wait for itself
  parts_->writer->Close();
}

void Store::Submit(WriteBatch batch, Done done) { parts_->writer->Submit(std::move(batch), std::move(done)); }

Result<Receipt> Store::Write(WriteBatch batch) {
  CHECK(!parts_->writer->OnWriterThread());  // it would wait for itself
  std::promise<Result<Receipt>> promise;
  Submit(std::move(batch), [&promise](Result<Receipt> receipt) { promise.set_value(std::move(receipt)); });
  return promise.get_future().get();
}

Result<int64_t> Store::SweepStep() {
  CHECK(!parts_->writer->OnWriterThread());
  std::promise<Result<Receipt>> promise;
  parts_->writer->SubmitSweep([&promise](Result<Receipt> receipt) { promise.set_value(std::move(receipt)); });
  PAWSIGHT_ASSIGN_OR_RETURN(const Receipt receipt, promise.get_future().get());
  return receipt.front().number;
}

Result<int64_t> Store::Sweep() {
  int64_t removed = 0;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const int64_t step, SweepStep());
    if (step == 0) return removed;
    removed += step;
  }
}

Result<Event> Store::Append(const Event& event) {
  Event stored = event;
  if (stored.owner.empty()) stored.owner = kLocalOwner;
  WriteBatch batch;
  batch.push_back(AddEvent{stored, {}});
  PAWSIGHT_ASSIGN_OR_RETURN(Receipt receipt, Write(std::move(batch)));
  stored.sequence = receipt.front().number;
  stored.id = std::move(receipt.front().id);
  return stored;
}

void Store::SetPendingListener(PendingListener listener) { parts_->writer->SetPendingListener(std::move(listener)); }

StoreStats Store::Stats() const { return parts_->writer->Stats(); }

}  // namespace pawsight::events
