// events/schema.h: the numbered steps that make and change the event store's tables. PRAGMA user_version says how many
// have been taken. A step that was released is never edited: add one. For this folder's .cc files; thread-compatible.
#pragma once

#include <span>
#include <string>

#include "base/status.h"

struct sqlite3;

namespace pawsight::events {

/// All steps, in order.
std::span<const char* const> Migrations();

/// Takes the missing steps, each in a transaction with its new user_version, so two programs that start together take
/// each once. An existing store is first copied to `path`.schema-N.bak.
/// Errors: kFailedPrecondition `schema_newer`, more steps taken than `steps` has; others as SqliteStatus.
Status Migrate(sqlite3* db, const std::string& path, std::span<const char* const> steps);

}  // namespace pawsight::events
