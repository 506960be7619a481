// tests/integration/program.h: starts the built `pawsight` as a user would and gives back what it said and how it
// ended. For tests only; thread-compatible.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace pawsight::integration {

struct Ended {
  int code = -1;    // exit code; 128 + signal when a signal ended it
  std::string out;  // standard output
  std::string err;  // standard error
};

/// A fresh folder, removed with all in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  /// The path of `name` in it.
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Runs `pawsight ARGUMENTS...` in `folder` ("" is the current one) with no input. `while_running` is called once with
/// the process's id right after the start. A program that has not ended after five minutes is killed, and the test
/// fails.
Ended RunProgram(const std::vector<std::string>& arguments, const std::string& folder = "",
                 const std::function<void(pid_t)>& while_running = {});

/// A path under the shared data: $PAWSIGHT_SHARED, or beside the source tree.
std::string SharedPath(const std::string& name);

void WriteText(const std::string& path, const std::string& text);

}  // namespace pawsight::integration
