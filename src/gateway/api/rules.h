// gateway/api/rules.h: an owner's rules, why they did or did not alert, and snoozes: /v1/rules, /v1/snoozes. An edit is
// in force from the next frame on. Advice (rules/lint.h) comes with every answer; a question that the model cannot
// answer is refused unless ?force=true. Thread-safe.
#pragma once

#include "gateway/api/api_router.h"
#include "gateway/api/registry.h"
#include "gateway/path/frame_path.h"
#include "rules/rule.h"

namespace pawsight::gateway {

class RulesApi {
 public:
  /// Adds its routes. Both must outlive the server.
  RulesApi(const ApiContext& context, Registry& registry, const FramePath& path);
  RulesApi(const RulesApi&) = delete;
  RulesApi& operator=(const RulesApi&) = delete;

 private:
  Result<net::HttpResponse> List(const Call& call) const;
  Result<net::HttpResponse> Get(const Call& call) const;
  Result<net::HttpResponse> Why(const Call& call) const;
  void Create(const Call& call, const Responder& reply);
  void Update(const Call& call, const Responder& reply);
  void Delete(const Call& call, const Responder& reply);
  /// The body as a rule of that id; `is_there`: what the store gives may be in it, as a GET shows it. Errors:
  /// ParseRule's; `field`, what only the gateway gives; `question_unfit`, what the linter refuses.
  Result<rules::Rule> Read(const Call& call, const std::string& id, bool is_there) const;
  /// Receivers that `row` did not name before must be there still when the rule is committed: 422 `receiver_unknown`.
  void Put(const Call& call, const Responder& reply, events::Rule row, const rules::Rule& rule, int status);

  Result<net::HttpResponse> ListSnoozes(const Call& call) const;
  /// Errors: UnknownName, of its rule or its camera.
  Status CheckSnooze(const events::Snooze& snooze) const;
  void PutSnooze(const Call& call, const Responder& reply);
  void DeleteSnooze(const Call& call, const Responder& reply);
  /// Brings the owner over once the batch is committed, then answers.
  void CommitAndRefresh(const Call& call, const Responder& reply, events::WriteBatch batch,
                        std::function<net::HttpResponse(const events::Receipt&)> respond);

  const ApiContext context_;
  Registry& registry_;
  const FramePath& path_;
};

}  // namespace pawsight::gateway
