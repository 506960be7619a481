// tests/integration/program.h: starts the built `pawsight` as a user would and gives back what it said and how it
// ended. It ends with the test, also with one that is killed. For tests only; thread-compatible.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/process_group.h"

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

/// Runs `pawsight ARGUMENTS...` with no input. With `interrupt_when_said`, sends SIGINT once that text stands on either
/// output. `environment`: "NAME=value", set beside what the test has. A program that has not ended after five minutes
/// is killed, and the test fails.
Ended RunProgram(const std::vector<std::string>& arguments, const std::string& interrupt_when_said = "",
                 std::vector<std::string> environment = {});

/// Runs it until `when`, asked every millisecond, says yes; then SIGKILL, and the code is 137. It may end before.
Ended KillProgram(const std::vector<std::string>& arguments, const std::function<bool()>& when);

/// Runs it beside the test: a server. Killed when this goes, if it still runs.
class RunningProgram {
 public:
  /// `environment` as RunProgram's.
  explicit RunningProgram(const std::vector<std::string>& arguments, std::vector<std::string> environment = {});
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  /// Waits until `text` stands on standard error, and gives the whole of it; the test fails when the program ends
  /// before.
  std::string WaitUntilSaid(const std::string& text);
  void Signal(int signal) const;
  int pid() const { return child_; }
  /// Whether it has not ended.
  bool Runs() const;
  /// Waits for its end.
  Ended Wait();

 private:
  TempFolder said_;
  const Result<net::ProcessGroup> group_;
  int child_ = -1;
};

/// A path under the shared data: $PAWSIGHT_SHARED, or beside the source tree.
std::string SharedPath(const std::string& name);

void WriteText(const std::string& path, const std::string& text);

}  // namespace pawsight::integration
