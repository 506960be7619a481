#include "gateway/api/api_router.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "events/ids.h"
#include "net/multipart.h"

namespace pawsight::gateway {
namespace {

constexpr size_t kMaxJsonBytes = 256U << 10U;
constexpr size_t kMaxJsonValues = 20000;
constexpr size_t kMaxKeyBytes = 128;
constexpr int kDefaultLimit = 100;

bool May(events::Role role, Access access) {
  switch (access) {
    case Access::kPublic:
    case Access::kAny:
      return true;
    case Access::kFrames:
      return role != events::Role::kViewer;
    case Access::kRead:
      return role != events::Role::kDevice;
    case Access::kWrite:
      return role == events::Role::kOperator || role == events::Role::kAdmin;
    case Access::kAdmin:
      return role == events::Role::kAdmin;
  }
  CHECK(false);
}

/// By its type: JSON, or what curl -d says when nothing is said.
bool MayBeJson(const net::HttpRequest& request) {
  const std::string_view given = request.Header("content-type");
  std::string type = net::LowerCase(given.substr(0, given.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return type.empty() || type == "application/json" || type.ends_with("+json") ||
         type == "application/x-www-form-urlencoded";
}

/// Endpoints that mean one owner's objects.
bool NeedsOwner(Access access) {
  return access == Access::kFrames || access == Access::kRead || access == Access::kWrite;
}

}  // namespace

void ApiRouter::OpenCalls::Begin() {
  MutexLock lock(mu_);
  ++count_;
}

void ApiRouter::OpenCalls::End() {
  MutexLock lock(mu_);
  if (--count_ == 0) none_.NotifyAll();
}

bool ApiRouter::OpenCalls::Drain(std::chrono::milliseconds at_most) {
  const auto until = std::chrono::steady_clock::now() + at_most;
  MutexLock lock(mu_);
  while (count_ > 0) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0 || !none_.WaitFor(mu_, left)) return count_ == 0;
  }
  return true;
}

std::optional<net::HttpResponse> ApiRouter::Admit(const net::HttpRequest& request) {
  const bool is_public = !request.path.starts_with("/v1/");
  if (is_public) return std::nullopt;
  const Result<Principal> who = authenticator_.Admit(request.Header("authorization"), request.peer);
  if (who.ok()) return std::nullopt;
  books_->refusals.Note(ProblemCode(who.status()), "", request.path);
  return Problem(who.status());
}

net::HttpResponse ApiRouter::Refuse(int status, std::string_view code, std::string_view detail) {
  books_->refusals.Note(std::string(code), "", "");
  return net::ProblemResponse(status, code, detail);
}

Result<Call> ApiRouter::Let(std::shared_ptr<const net::HttpRequest> request, Access access) {
  Call call;
  call.request = std::move(request);
  if (access == Access::kPublic) return call;
  PAWSIGHT_ASSIGN_OR_RETURN(call.who, authenticator_.Admit(call.request->Header("authorization"), call.request->peer));
  call.owner = call.who.owner;
  const std::string_view named = call.request->Query("owner");
  if (!named.empty() && call.who.role == events::Role::kAdmin) {
    if (!events::IsId("own_", named)) return InvalidArgument("owner: want the id of an owner", "owner");
    call.owner = named;
  } else if (!named.empty() && named != call.owner) {
    NoteViolation(call, named.substr(0, 64));  // anything may stand there
    return PermissionDenied("owner: this token is another owner's", "tenant_violation");
  }
  if (!May(call.who.role, access)) {
    return PermissionDenied("a token of the role " + std::string(events::RoleName(call.who.role)) + " may not do this",
                            "role");
  }
  if (NeedsOwner(access) && call.owner.empty()) {
    return InvalidArgument("an admin says whose objects it means: ?owner=own_...", "owner_missing");
  }
  return call;
}

void ApiRouter::Add(std::string_view method, std::string_view pattern, Access access, Handler handler) {
  AddLater(method, pattern, access,
           [handler = std::move(handler)](std::shared_ptr<const Call> call, const Responder& reply) {
             Result<net::HttpResponse> response = handler(*call);
             if (!response.ok()) return reply.Fail(response.status());
             reply.Send(*std::move(response));
           });
}

void ApiRouter::AddUndocumented(std::string_view pattern, Handler handler) {
  router_.Add("GET", pattern, [handler = std::move(handler)](const net::HttpRequest& request) {
    Call call;
    call.request = std::make_shared<const net::HttpRequest>(request);
    Result<net::HttpResponse> response = handler(call);
    return response.ok() ? *std::move(response) : Problem(response.status());
  });
}

void ApiRouter::AddLater(std::string_view method, std::string_view pattern, Access access, LaterHandler handler) {
  routes_.push_back({std::string(method), std::string(pattern), access});
  Register(method, pattern, access, std::move(handler));
}

Responder::Sink ApiRouter::SinkOf(std::shared_ptr<const Call> call, std::shared_ptr<const net::HttpRequest> request,
                                  const net::HttpResponder& responder) {
  return [books = books_, call = std::move(call), request = std::move(request), responder](net::HttpResponse response) {
    if (call != nullptr && SaysUnknown(response.status, response.reason)) {
      std::vector<std::string> ids = NamedIds(*request);
      if (!ids.empty()) books->Suspect(*call, std::move(ids), false);
    }
    if (response.status >= 400) {
      books->refusals.Note(response.reason, call != nullptr ? call->who.credential : "", request->path);
    }
    responder.Respond(std::move(response));
    books->open.End();
  };
}

void ApiRouter::Register(std::string_view method, std::string_view pattern, Access access, LaterHandler handler) {
  const bool once = method == "POST" && access != Access::kFrames;
  router_.AddLater(method, pattern,
                   [this, access, once, handler = std::move(handler)](std::shared_ptr<const net::HttpRequest> request,
                                                                      const net::HttpResponder& responder) {
                     books_->open.Begin();
                     Result<Call> let = Let(request, access);
                     const auto call = let.ok() ? std::make_shared<const Call>(*let) : nullptr;
                     Responder::Sink sink = SinkOf(call, request, responder);
                     if (!let.ok()) return sink(Problem(let.status()));
                     const std::string_view given = request->Header("idempotency-key");
                     if (once && !given.empty()) {
                       if (given.size() > kMaxKeyBytes)
                         return sink(Problem(InvalidArgument("Idempotency-Key: want at most 128 bytes")));
                       const std::string key =
                           let->who.credential + " " + request->path + " " + let->owner + " " + std::string(given);
                       Result<std::optional<net::HttpResponse>> before = books_->keys.Begin(key, request->body);
                       if (!before.ok()) return sink(Problem(before.status()));
                       if (*before) return sink(**std::move(before));
                       sink = [books = books_, key, sink](net::HttpResponse response) {
                         books->keys.Finish(key, response);
                         sink(std::move(response));
                       };
                     }
                     handler(call, Responder(std::move(sink), responder.gone()));
                   });
}

void ApiRouter::AddStream(std::string_view pattern, net::Broadcast& broadcast,
                          std::function<Result<net::Broadcast::Interest>(const Call&)> interest) {
  routes_.push_back({"GET", std::string(pattern), Access::kRead});
  router_.AddStream(pattern, {.broadcast = &broadcast,
                              .greeting = nullptr,
                              .interest = [this, interest = std::move(interest)](
                                              const net::HttpRequest& request) -> Result<net::Broadcast::Interest> {
                                PAWSIGHT_ASSIGN_OR_RETURN(
                                    const Call call,
                                    Let(std::make_shared<const net::HttpRequest>(request), Access::kRead));
                                return interest(call);
                              }});
}

void ApiRouter::Commit(events::WriteBatch batch, const Responder& reply,
                       std::function<net::HttpResponse(const events::Receipt&)> respond) {
  store_.Submit(std::move(batch), [reply, respond = std::move(respond)](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return reply.Fail(receipt.status());
    reply.Send(respond(*receipt));
  });
}

void ApiRouter::Books::Suspect(const Call& call, std::vector<std::string> ids, bool known) {
  if (call.who.owner.empty()) return;  // an admin may see all and is not at fault
  ForeignTry foreign{call.who.credential, call.who.owner, call.who.device, std::move(ids), known, call.request->path};
  if (!door->Put(std::move(foreign))) refusals.Note("violation_unseen", call.who.credential, call.request->path);
}

std::vector<std::string> NamedIds(const net::HttpRequest& request) {
  static constexpr std::string_view kPrefixes[] = {"dev_", "cam_", "rul_", "rcv_", "crd_", "alr_", "evt_"};
  static constexpr size_t kLength = 4 + events::kIdCharacters;
  std::vector<std::string> ids;
  const auto take = [&ids](std::string_view text) {
    const bool is_id = std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                                   [&](std::string_view prefix) { return events::IsId(prefix, text); });
    if (is_id && ids.size() < kMaxNamedIds) ids.emplace_back(text);
  };
  for (const std::string& parameter : request.parameters) take(parameter);
  if (!MayBeJson(request)) return ids;
  const std::string_view body = std::string_view(request.body).substr(0, kMaxNamingBytes);
  for (size_t at = body.find('_'); at != std::string_view::npos && ids.size() < kMaxNamedIds;
       at = body.find('_', at + 1)) {
    if (at >= 3) take(body.substr(at - 3, kLength));
  }
  return ids;
}

Result<Json> ReadBody(const net::HttpRequest& request) {
  if (!MayBeJson(request)) {
    return InvalidArgument("Content-Type: want application/json", "content_type");
  }
  if (request.body.size() > kMaxJsonBytes) {
    return ResourceExhausted("the body: want at most 256 KiB", "body_too_large");
  }
  Result<Json> json =
      Json::Parse(request.body, {.max_bytes = kMaxJsonBytes, .max_depth = 32, .max_values = kMaxJsonValues});
  if (!json.ok()) return InvalidArgument("the body: " + json.status().message(), "json");
  return json;
}

net::HttpResponse JsonAnswer(int status, const Json& json) {
  return {status, "application/json", json.Dump() + "\n", {}};
}

net::HttpResponse RowAnswer(int status, const Json& json, int64_t version) {
  net::HttpResponse response = JsonAnswer(status, json);
  response.headers.emplace_back("ETag", "\"" + std::to_string(version) + "\"");
  return response;
}

net::HttpResponse NothingAnswer() { return {204, "application/json", "", {}}; }

Status CheckIfMatch(const net::HttpRequest& request, int64_t current) {
  const std::string_view given = request.Header("if-match");
  if (given.empty() || given == "*" || given == "\"" + std::to_string(current) + "\"") return Ok();
  return {StatusCode::kAborted, "If-Match: the version now is \"" + std::to_string(current) + "\"", "if_match"};
}

Result<int64_t> ReadNumber(const net::HttpRequest& request, std::string_view name, int64_t otherwise) {
  const std::string_view text = request.Query(name);
  if (text.empty()) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return InvalidArgument(std::string(name) + ": want a whole number, 0 or more", std::string(name));
  }
  return value;
}

Result<events::Page> ReadPage(const net::HttpRequest& request, std::string_view id_prefix) {
  events::Page page;
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t limit, ReadNumber(request, "limit", kDefaultLimit));
  if (limit < 1) return InvalidArgument("limit: want 1 or more", "limit");
  page.limit = static_cast<int>(std::min<int64_t>(limit, events::kMaxListed));
  page.after = request.Query("cursor");
  if (!page.after.empty() && !events::IsId(id_prefix, page.after)) {
    return InvalidArgument("cursor: want `next` of the page before", "cursor");
  }
  return page;
}

events::Audit AuditOf(const Call& call, std::string action, std::string object) {
  events::AuditEntry entry;
  entry.owner = call.owner;
  entry.who = call.who.credential;
  entry.action = std::move(action);
  entry.object = std::move(object);
  return {entry};
}

Json ListJson(Json::Array items, const events::Page& page, const std::string& last_id) {
  const bool more = items.size() >= static_cast<size_t>(page.limit);
  return Json::Object{{"items", std::move(items)}, {"next", more ? Json(last_id) : Json()}};
}

}  // namespace pawsight::gateway
