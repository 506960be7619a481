// gateway/api/api_router.h: the door of the API: who asks (gateway/api/authenticator.h), whether that role may, whose
// objects it means, whether the same POST was answered before; then the endpoint. Every answer passes here on its way
// out, so refusals are counted and logged in one place. Filled at start, then only read: thread-safe from then on.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "events/store.h"
#include "gateway/api/authenticator.h"
#include "gateway/api/fields.h"
#include "gateway/api/idempotency.h"
#include "gateway/api/problem.h"
#include "gateway/api/violations.h"
#include "net/http_options.h"
#include "net/router.h"

namespace pawsight::gateway {

/// Who may call an endpoint. An admin may all; of an owner's objects it says whose by ?owner=.
enum class Access {
  kPublic,  // without a token
  kAny,     // with any token
  kFrames,  // devices and operators: sending frames
  kRead,    // viewers and operators: an owner's objects
  kWrite,   // operators: an owner's objects
  kAdmin,
};

/// One request that was let in. Lives as long as somebody keeps it.
struct Call {
  std::shared_ptr<const net::HttpRequest> request;
  Principal who;      // unset for kPublic
  std::string owner;  // whose objects; "" only for kPublic, kAny and kAdmin

  const std::string& Parameter(size_t place) const { return request->parameters[place]; }
};

/// Where the answer to one call goes, once, from any thread. Copies are the same promise.
class Responder {
 public:
  using Sink = std::function<void(net::HttpResponse)>;
  explicit Responder(Sink sink, std::stop_token gone) : sink_(std::make_shared<Sink>(std::move(sink))), gone_(gone) {}
  void Send(net::HttpResponse response) const { (*sink_)(std::move(response)); }
  void Fail(const Status& status) const { (*sink_)(Problem(status)); }
  /// Stop is requested when the client has gone.
  std::stop_token gone() const { return gone_; }

 private:
  std::shared_ptr<Sink> sink_;
  std::stop_token gone_;
};

Result<Json> ReadBody(const net::HttpRequest& request);

class ApiRouter {
 public:
  /// A response, or why there is none.
  using Handler = std::function<Result<net::HttpResponse>(const Call&)>;
  using LaterHandler = std::function<void(std::shared_ptr<const Call>, const Responder&)>;

  /// All must outlive it, and it the server.
  ApiRouter(net::Router& router, Authenticator& authenticator, events::Store& store, const Clock& clock)
      : router_(router),
        authenticator_(authenticator),
        store_(store),
        books_(std::make_shared<Books>(clock)),
        violations_(store, clock, books_->door, [books = books_](const ForeignTry& foreign) {
          books->refusals.Note("tenant_violation", foreign.credential, foreign.path);
        }) {}

  void Add(std::string_view method, std::string_view pattern, Access access, Handler handler);
  void AddLater(std::string_view method, std::string_view pattern, Access access, LaterHandler handler);
  /// GET without a token, of a part of the page: not in the API's description.
  void AddUndocumented(std::string_view pattern, Handler handler);
  /// The same for a member of `api`, which must outlive the server.
  template <typename Api>
  void Add(std::string_view method, std::string_view pattern, Access access, Api* api,
           Result<net::HttpResponse> (Api::*handler)(const Call&) const) {
    Add(method, pattern, access, [api, handler](const Call& call) { return (api->*handler)(call); });
  }
  template <typename Api>
  void AddLater(std::string_view method, std::string_view pattern, Access access, Api* api,
                void (Api::*handler)(const Call&, const Responder&)) {
    AddLater(method, pattern, access, [api, handler](const std::shared_ptr<const Call>& call, const Responder& reply) {
      (api->*handler)(*call, reply);
    });
  }
  /// What `interest` says decides which messages the reader gets; its access is kRead.
  void AddStream(std::string_view pattern, net::Broadcast& broadcast,
                 std::function<Result<net::Broadcast::Interest>(const Call&)> interest);

  /// Before a body is read: no token, no body. For net::HttpServerOptions::admit and ::refuse.
  std::optional<net::HttpResponse> Admit(const net::HttpRequest& request);
  net::HttpResponse Refuse(int status, std::string_view code, std::string_view detail);

  /// Commits the batch, then answers with what `respond` makes of the receipt, on the store's writer thread.
  void Commit(events::WriteBatch batch, const Responder& reply,
              std::function<net::HttpResponse(const events::Receipt&)> respond);

  /// The endpoint's own: reads the body's fields, then Finish; an error is answered. False: it was.
  template <typename Read>
  static bool ReadFields(const Call& call, const Responder& reply, const Read& read) {
    const Result<Json> body = ReadBody(*call.request);
    if (!body.ok()) return reply.Fail(body.status()), false;
    Fields fields(*body);
    read(fields);
    if (const Status status = fields.Finish(); !status.ok()) return reply.Fail(status), false;
    return true;
  }

  /// Somebody asked for what is not theirs, which leaves a line (gateway/api/violations.h). Of another owner's object
  /// it is noticed here, whenever an answer is SaysUnknown and an id of the path or the body is another's, whichever
  /// thread answers; of another device's camera by the endpoint.
  void NoteViolation(const Call& call, std::string_view object) { books_->Suspect(call, {std::string(object)}, true); }

  /// Waits until every call that was let in has been answered, at most so long. True: all have been. After the server
  /// has stopped, so that no more come.
  bool Drain(std::chrono::milliseconds at_most) { return books_->open.Drain(at_most); }

  struct Route {
    std::string method, pattern;
    Access access;
  };
  /// What was added, for the document and its test.
  const std::vector<Route>& routes() const { return routes_; }
  std::map<std::string, uint64_t> refusals() const { return books_->refusals.Counts(); }

 private:
  /// Calls that are not answered yet.
  class OpenCalls {
   public:
    void Begin() EXCLUDES(mu_);
    void End() EXCLUDES(mu_);
    bool Drain(std::chrono::milliseconds at_most) EXCLUDES(mu_);

   private:
    Mutex mu_;
    CondVar none_;
    size_t count_ GUARDED_BY(mu_) = 0;
  };
  /// What an answer writes down on its way out; lives until the last answer was given.
  struct Books {
    explicit Books(const Clock& clock) : keys(clock), refusals(clock) {}
    /// The call may have named what is another's; `known`: it did.
    void Suspect(const Call& call, std::vector<std::string> ids, bool known);

    const std::shared_ptr<ViolationDoor> door = std::make_shared<ViolationDoor>();
    IdempotencyKeys keys;
    RefusalLog refusals;
    OpenCalls open;
  };
  void Register(std::string_view method, std::string_view pattern, Access access, LaterHandler handler);
  /// Answers once, and writes down what there is to write of the answer; `call` is null for one that was not let in.
  Responder::Sink SinkOf(std::shared_ptr<const Call> call, std::shared_ptr<const net::HttpRequest> request,
                         const net::HttpResponder& responder);
  Result<Call> Let(std::shared_ptr<const net::HttpRequest> request, Access access);

  net::Router& router_;
  Authenticator& authenticator_;
  events::Store& store_;
  const std::shared_ptr<Books> books_;
  Violations violations_;
  std::vector<Route> routes_;
};

/// The ids that a request names, in its path and in the first kMaxNamingBytes of a JSON body: at most kMaxNamedIds of
/// them, in their order.
std::vector<std::string> NamedIds(const net::HttpRequest& request);
inline constexpr size_t kMaxNamedIds = 8;
inline constexpr size_t kMaxNamingBytes = 64U << 10U;

/// What every endpoint needs. All outlive the server.
struct ApiContext {
  ApiRouter& router;
  events::Store& store;
  const Clock& clock;
};

/// The JSON object that a request brings. Accepted: application/json, any +json, and what curl -d says when nothing is
/// said. Errors: kInvalidArgument `json`; `content_type`; kResourceExhausted `body_too_large`, more than 256 KiB.
Result<Json> ReadBody(const net::HttpRequest& request);

net::HttpResponse JsonAnswer(int status, const Json& json);
/// With an ETag of the row's version.
net::HttpResponse RowAnswer(int status, const Json& json, int64_t version);
/// 204.
net::HttpResponse NothingAnswer();

/// The version that If-Match names, or `current` when there is none or it is "*". Errors: kInvalidArgument `if_match`,
/// no version of ours; kAborted `if_match`, not the current one (412 either way).
Status CheckIfMatch(const net::HttpRequest& request, int64_t current);

/// ?limit=1..1000 (larger is 1000; 100 without), ?cursor= from the list before.
/// Errors: kInvalidArgument `limit`, `cursor`.
Result<events::Page> ReadPage(const net::HttpRequest& request, std::string_view id_prefix);
/// A number of the query from 0 up. Errors: kInvalidArgument, named after it.
Result<int64_t> ReadNumber(const net::HttpRequest& request, std::string_view name, int64_t otherwise);

/// {"items": [...], "next": cursor or null}: `next` when the page is full.
Json ListJson(Json::Array items, const events::Page& page, const std::string& last_id);

/// The owner's rows of one kind, a page of them.
template <typename Row, typename ToJson>
Result<net::HttpResponse> ListRows(const events::Store& store, const Call& call, std::string_view id_prefix,
                                   const ToJson& to_json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const events::Page page, ReadPage(*call.request, id_prefix));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<Row> rows, store.List<Row>(call.owner, page));
  Json::Array items;
  for (const Row& row : rows) items.push_back(to_json(row));
  return JsonAnswer(200, ListJson(std::move(items), page, rows.empty() ? "" : rows.back().id));
}

/// The version that a DELETE is for: the row's own when If-Match names it, 0 (any) without one or with "*".
/// Errors: the row's read; CheckIfMatch's.
template <typename Row>
Result<int64_t> VersionToDelete(const events::Store& store, const Call& call) {
  const std::string_view given = call.request->Header("if-match");
  if (given.empty() || given == "*") return 0;
  PAWSIGHT_ASSIGN_OR_RETURN(const Row row, store.Get<Row>(call.owner, call.Parameter(0)));
  PAWSIGHT_RETURN_IF_ERROR(CheckIfMatch(*call.request, row.version));
  return row.version;
}

/// What an audit entry says of a change that this call made.
events::Audit AuditOf(const Call& call, std::string action, std::string object);

}  // namespace pawsight::gateway
