// base/check.h: CHECK stops the process on a broken invariant, which is our bug. Someone else's fault is a Status.
#pragma once

namespace pawsight {

/// Writes "file:line: CHECK failed: what" to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* what);

}  // namespace pawsight

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) ::pawsight::CheckFailed(__FILE__, __LINE__, #condition);  \
  } while (false)
