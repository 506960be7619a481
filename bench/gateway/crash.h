// bench/gateway/crash.h: a gateway that is killed (SIGKILL) while it acknowledges alerts, again and again, and one
// whose disk is full: is any alert lost that it had acknowledged? For benchmarks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pawsight::bench {

struct Crashed {
  int kills = 0;
  int64_t acknowledged = 0;  // alerts that a frame's answer named
  int64_t lost = 0;          // of these not there after the restart
  int64_t undelivered = 0;   // of these never told to the webhook, also after all restarts
  int64_t delivered = 0;     // messages of an alert's opening that came to it, repeats included
  double restart_ms = 0;     // median, until it is ready again
};

/// `kills` times: frames that open and end alerts for 20 to 400 ms, then SIGKILL; every tenth time also at its start.
Crashed CrashAgainAndAgain(const std::string& scratch, int kills);

struct FullDisk {
  int64_t acknowledged = 0;       // before the disk was full
  int64_t answered_full = 0;      // frames answered while it was
  int64_t unrecorded = 0;         // alerts told as not on disk while it was
  int64_t acknowledged_full = 0;  // alerts that were said to be on disk while it was, in what room there was
  int64_t lost = 0;               // acknowledged and not there after SIGKILL, room and a restart
  bool goes_on = false;           // and then a new alert is acknowledged
};

/// On a file system of its own of 24 MB; nothing when there may be none (needs root).
std::optional<FullDisk> FillTheDisk(const std::string& scratch);

}  // namespace pawsight::bench
