// apps/home.h: a gateway with one home in it that lasts as long as the program, for `watch` and `demo`: its owner, an
// operator, cameras and rules as the command line says, on the API and the page if somebody listens. Nobody's home of
// before is touched: its store is in a directory of its own that goes away. Used by one thread.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "apps/gateway_service.h"
#include "apps/open_model.h"
#include "apps/scratch_directory.h"
#include "base/clock.h"
#include "gateway/camera_watch.h"
#include "gateway/lines.h"
#include "gateway/names.h"
#include "rules/rule.h"

namespace pawsight {

struct HomeOptions {
  ModelOptions model;
  std::string listen;                               // HOST:PORT; "": nobody listens
  std::string instead;                              // where to listen when that is taken; "": it is an error
  std::string events;                               // file of this machine's events; "": they are forgotten
  std::chrono::milliseconds answer_within{10'000};  // of a frame's arrival
  bool tells_loopback = false;                      // receivers may be on this machine, and without TLS
  bool pulls = false;                               // the page may name a camera whose frames are fetched
};

class Home {
 public:
  /// Starts the gateway. Errors: GatewayService::Start's; kFailedPrecondition, no temporary directory can be made.
  static Result<std::unique_ptr<Home>> Open(const HomeOptions& options);
  ~Home();
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  /// Makes the owner `name`, an operator, the cameras (name, labels and document; they get their ids) and the rules,
  /// whose ids become their words in lines and events; once. A rule for cameras by name is made one by id. Errors: the
  /// store's, the path's.
  Status Furnish(const std::string& name, std::vector<events::Camera>* cameras, const std::vector<rules::Rule>& rules);

  /// Tells a webhook of all alerts from now on; on loopback only with HomeOptions::tells_loopback. After Furnish.
  /// Errors: the store's, the path's, the keys'.
  Status AddWebhook(const std::string& name, const std::string& url, const std::string& secret);

  /// Writes lines of what comes of frames to standard output from now on. After Furnish.
  Status Tell(const gateway::LinesOptions& options);
  /// After Tell.
  gateway::Lines& lines() { return *lines_; }

  GatewayService& service() { return *service_; }
  gateway::FrameClock& frame_clock() { return frame_clock_; }
  const std::string& owner() const { return owner_; }
  /// "`what` at http://127.0.0.1:8077/#token=paw_o...", the page signed in, and what else that token opens. Somebody
  /// must listen.
  void SayWhere(std::FILE* out, const std::string& what) const;

  /// Ends the gateway: what was accepted is finished, within a second. False: some has not; then Leave, because the
  /// destructors would wait for it.
  bool Close();
  /// After Close: changes of alerts that were told and that the file of events never took.
  uint64_t num_unrecorded() const;
  /// Ends the process at once.
  [[noreturn]] void Leave(int exit_code);

 private:
  Home() = default;
  Status Start(const HomeOptions& options);
  /// Commits, and brings it to the path.
  Status Commit(events::WriteBatch batch);

  ScratchDirectory scratch_;
  gateway::FrameClock frame_clock_;
  gateway::Names names_;
  std::string owner_, token_;
  std::unique_ptr<GatewayService> service_;
  std::shared_ptr<gateway::Lines> lines_;  // shared with the path that tells it
};

}  // namespace pawsight
