#include "notify/transfers.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <thread>

#include "base/base64.h"
#include "base/mutex.h"
#include "notify/broken_pipe.h"

namespace pawsight::notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Protocol = Transfer::Protocol;

constexpr long kMaxKept = 64;         // connections kept for the next message
constexpr long kKeptForSeconds = 60;  // and for how long
constexpr int kLongestPollMs = 60000;

bool IsSmtp(Protocol protocol) {
  return protocol == Protocol::kSmtps || protocol == Protocol::kSmtpStartTls || protocol == Protocol::kSmtp;
}

std::string_view SchemeOf(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttps:
      return "https";
    case Protocol::kHttp:
      return "http";
    case Protocol::kSmtps:
      return "smtps";
    case Protocol::kSmtpStartTls:
    case Protocol::kSmtp:
      return "smtp";
  }
  CHECK(false);
}

std::string InUrl(const std::string& name) { return name.find(':') == std::string::npos ? name : "[" + name + "]"; }

std::string UrlOf(const Transfer& transfer) {
  std::string url = std::string(SchemeOf(transfer.protocol)) + "://" + InUrl(transfer.host.name) + ":" +
                    std::to_string(transfer.port);
  // Of SMTP the path is the name we give ourselves: the sender's domain rather than this machine's name.
  return url + (IsSmtp(transfer.protocol) ? "/" + transfer.from.substr(transfer.from.find('@') + 1) : transfer.target);
}

std::string PinsAsCurlHasThem(const std::vector<Pin>& pins) {
  std::string text;
  for (const Pin& pin : pins) {
    if (!text.empty()) text += ';';
    text += "sha256//" + EncodeBase64({reinterpret_cast<const char*>(pin.data()), pin.size()});
  }
  return text;
}

Status StatusOfCurl(CURLcode code, bool refused) {
  if (code == CURLE_OK) return Ok();
  if (refused) return PermissionDenied("the receiver's address may not be used", "address_refused");
  const std::string text = curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return DeadlineExceeded("no answer in time");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_ISSUER_ERROR:
      return Unavailable("its certificate is not to be trusted: " + text);
    case CURLE_USE_SSL_FAILED:
      return Unavailable("it offers no TLS");
    case CURLE_LOGIN_DENIED:
      return {StatusCode::kUnauthenticated, "it does not take the user and password"};
    default:
      return Unavailable(text);
  }
}

struct CurlList {
  ~CurlList() { curl_slist_free_all(list); }
  void Add(const std::string& text) { list = curl_slist_append(list, text.c_str()); }
  curl_slist* list = nullptr;
};

/// One transfer under way; libcurl's callbacks get a pointer to it.
struct Job {
  uint64_t id = 0;
  Transfer transfer;
  Transfers::Done done;
  steady_clock::time_point deadline;
  const TransfersOptions* options = nullptr;
  std::vector<IpAddress> addresses;  // checked
  CURL* easy = nullptr;              // once it runs
  CurlList headers, resolve, recipients;
  size_t sent = 0;  // of the body, by SMTP
  size_t answer_bytes = 0;
  size_t header_bytes = 0;
  int code = 0;          // of the last whole header that is final
  bool refused = false;  // a socket to an address that was not checked

  ~Job() {
    if (easy != nullptr) curl_easy_cleanup(easy);
  }

  static size_t OnBody(char*, size_t size, size_t count, void* self_pointer) {
    Job& self = *static_cast<Job*>(self_pointer);
    self.answer_bytes += size * count;
    return self.answer_bytes > self.options->max_answer_bytes ? CURL_WRITEFUNC_ERROR : size * count;
  }
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self_pointer) {
    Job& self = *static_cast<Job*>(self_pointer);
    self.header_bytes += size * count;
    if (self.header_bytes > self.options->max_header_bytes) return 0;
    const std::string_view line(bytes, size * count);
    if (line != "\r\n" && line != "\n") return line.size();
    long code = 0;
    curl_easy_getinfo(self.easy, CURLINFO_RESPONSE_CODE, &code);
    if (code >= 200) self.code = static_cast<int>(code);
    return line.size();
  }
  static size_t OnRead(char* out, size_t size, size_t count, void* self_pointer) {
    Job& self = *static_cast<Job*>(self_pointer);
    const size_t part = std::min(size * count, self.transfer.body.size() - self.sent);
    std::memcpy(out, self.transfer.body.data() + self.sent, part);
    self.sent += part;
    return part;
  }
  /// The second half of the guard: no socket to an address that was not checked for this very transfer.
  static curl_socket_t OnSocket(void* self_pointer, curlsocktype, curl_sockaddr* address) {
    Job& self = *static_cast<Job*>(self_pointer);
    const auto to = IpAddress::FromSockaddr(&address->addr);
    const bool checked = to.ok() &&
                         std::find(self.addresses.begin(), self.addresses.end(), *to) != self.addresses.end() &&
                         CheckAddress(*to, self.options->addresses).ok();
    if (!checked) {
      self.refused = true;
      return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  void SetUp();
  void SetUpHttp();
  void SetUpSmtp();
};

void Job::SetUpHttp() {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, transfer.protocol == Protocol::kHttps ? "https" : "http");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "pawsight/" PAWSIGHT_VERSION);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.body.data());
  headers.Add("Expect:");
  for (const auto& [name, value] : transfer.headers) {
    CHECK((name + value).find_first_of("\r\n") == std::string::npos);
    headers.Add(name + ": " + value);
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.list);
}

void Job::SetUpSmtp() {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   static_cast<long>(transfer.protocol == Protocol::kSmtp ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  if (!transfer.username.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, transfer.username.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, transfer.password.c_str());
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
  }
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, ("<" + transfer.from + ">").c_str());
  for (const std::string& to : transfer.to) recipients.Add("<" + to + ">");
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients.list);
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);  // one wrong recipient must not silence the others
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(transfer.body.size()));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Job::OnRead);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

void Job::SetUp() {
  easy = curl_easy_init();
  CHECK(easy != nullptr);
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_URL, UrlOf(transfer).c_str());
  curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options->connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(left.count())));
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kKeptForSeconds);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (!options->ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file.c_str());
  if (!transfer.pins.empty()) {  // this key and no other says who it is: neither an authority nor a name is asked
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, PinsAsCurlHasThem(transfer.pins).c_str());
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Job::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (!IsSmtp(transfer.protocol)) {
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Job::OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  }
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Job::OnSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  if (!transfer.host.is_address) {
    // "+": the entry leaves libcurl's cache by itself; the next transfer brings its own.
    std::string pinned = "+" + transfer.host.name + ":" + std::to_string(transfer.port) + ":";
    for (const IpAddress& address : addresses)
      pinned += (&address == addresses.data() ? "" : ",") + InUrl(address.ToString());
    resolve.Add(pinned);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve.list);
  }
  if (IsSmtp(transfer.protocol)) {
    SetUpSmtp();
  } else {
    SetUpHttp();
  }
}

}  // namespace

/// The thread and what it works on. All but the mailbox is the thread's own.
class Transfers::Loop {
 public:
  Loop(Lookup& lookup, const TransfersOptions& options)
      : options_(options), lookup_(lookup), box_(std::make_shared<Box>()) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once; thread-safe since C++11
    CHECK(started == CURLE_OK);
    multi_ = curl_multi_init();
    CHECK(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxKept);
    {
      MutexLock lock(box_->mu);
      box_->multi = multi_;
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~Loop() {
    box_->Put([](Mail& mail) { mail.closing = true; });
    thread_.join();
    MutexLock lock(box_->mu);
    box_->multi = nullptr;
    curl_multi_cleanup(multi_);
  }

  void Start(Transfer transfer, Done done) {
    auto job = std::make_unique<Job>();
    job->transfer = std::move(transfer);
    job->done = std::move(done);
    job->deadline = steady_clock::now() + options_.timeout;
    job->options = &options_;
    box_->Put([&](Mail& mail) {
      const bool full = mail.started.size() + mail.num_open >= options_.max_running + options_.max_waiting;
      if (!full && !mail.closing) mail.started.push_back(std::move(job));
    });
    if (job != nullptr) job->done({ResourceExhausted("too many messages are being sent"), 0, std::nullopt});
  }

  const TransfersOptions& options() const { return options_; }

 private:
  struct Found {
    uint64_t id;
    Result<std::vector<IpAddress>> addresses;
  };
  /// What other threads leave for the loop's.
  struct Mail {
    bool closing = false;
    std::deque<std::unique_ptr<Job>> started;
    std::vector<Found> found;
    size_t num_open = 0;  // jobs that the loop has
  };
  /// Shared with lookups, which may end after the loop.
  struct Box {
    Mutex mu;
    CURLM* multi GUARDED_BY(mu) = nullptr;  // only to wake it; null once it is gone
    Mail mail GUARDED_BY(mu);

    template <typename Change>
    void Put(Change&& change) EXCLUDES(mu) {
      MutexLock lock(mu);
      change(mail);
      if (multi != nullptr) curl_multi_wakeup(multi);
    }
  };

  void Run();
  bool TakeMail();
  void Begin();
  void OnFound(Found found);
  void Finish(uint64_t id, const Status& status);
  void FinishDone();
  int PollMs() const;
  void ExpireLookups();

  const TransfersOptions options_;
  Lookup& lookup_;
  const std::shared_ptr<Box> box_;
  CURLM* multi_ = nullptr;
  uint64_t next_id_ = 0;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::map<uint64_t, std::unique_ptr<Job>> jobs_;  // being looked up (no easy handle) or running
  std::thread thread_;
};

/// False when the loop is to end.
bool Transfers::Loop::TakeMail() {
  std::vector<Found> found;
  bool closing = false;
  {
    MutexLock lock(box_->mu);
    Mail& mail = box_->mail;
    closing = mail.closing;
    while (!mail.started.empty()) {
      waiting_.push_back(std::move(mail.started.front()));
      mail.started.pop_front();
    }
    found.swap(mail.found);
    mail.num_open = waiting_.size() + jobs_.size();
  }
  for (Found& each : found) OnFound(std::move(each));
  return !closing;
}

void Transfers::Loop::Begin() {
  while (!waiting_.empty() && jobs_.size() < options_.max_running) {
    const uint64_t id = ++next_id_;
    Job& job = *(jobs_[id] = std::move(waiting_.front()));
    waiting_.pop_front();
    job.id = id;
    lookup_.Find(job.transfer.host, job.transfer.owner, [box = box_, id](Result<std::vector<IpAddress>> addresses) {
      box->Put([&](Mail& mail) { mail.found.push_back({id, std::move(addresses)}); });
    });
  }
}

void Transfers::Loop::OnFound(Found found) {
  const auto at = jobs_.find(found.id);
  if (at == jobs_.end()) return;  // it was too late
  Job& job = *at->second;
  if (!found.addresses.ok()) return Finish(found.id, found.addresses.status());
  if (Status checked = CheckAddresses(*found.addresses, options_.addresses); !checked.ok())
    return Finish(found.id, checked);
  job.addresses = *std::move(found.addresses);
  job.SetUp();
  curl_multi_add_handle(multi_, job.easy);
}

void Transfers::Loop::Finish(uint64_t id, const Status& status) {
  auto node = jobs_.extract(id);
  Job& job = *node.mapped();
  TransferResult result{status, job.code, std::nullopt};
  if (job.easy != nullptr) {
    curl_multi_remove_handle(multi_, job.easy);
    long code = 0;
    if (IsSmtp(job.transfer.protocol) && curl_easy_getinfo(job.easy, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK)
      result.code = static_cast<int>(code);
    curl_off_t retry_after = 0;
    if (curl_easy_getinfo(job.easy, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK && retry_after > 0)
      result.retry_after = std::chrono::seconds(std::min<curl_off_t>(retry_after, 1000000000));
    if (!IsSmtp(job.transfer.protocol)) {
      const bool whole = job.code != 0 && job.header_bytes <= options_.max_header_bytes;
      if (whole) result.status = Ok();  // what came of its body changes nothing
      if (!whole && status.ok()) result.status = Unavailable("its answer was cut short");
    }
  }
  job.done(std::move(result));
}

void Transfers::Loop::FinishDone() {
  int num_left = 0;
  std::vector<std::pair<uint64_t, Status>> done;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &num_left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Job* job = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
    done.emplace_back(job->id, StatusOfCurl(message->data.result, job->refused));
  }
  for (const auto& [id, status] : done) Finish(id, status);
}

void Transfers::Loop::ExpireLookups() {
  std::vector<uint64_t> late;
  for (const auto& [id, job] : jobs_) {
    if (job->easy == nullptr && job->deadline <= steady_clock::now()) late.push_back(id);
  }
  for (const uint64_t id : late) Finish(id, DeadlineExceeded("the receiver's name was not found in time"));
  while (!waiting_.empty() && waiting_.front()->deadline <= steady_clock::now()) {
    const std::unique_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    job->done({DeadlineExceeded("too many messages are being sent"), 0, std::nullopt});
  }
}

int Transfers::Loop::PollMs() const {
  auto until = steady_clock::now() + milliseconds(kLongestPollMs);
  for (const auto& [id, job] : jobs_) {
    if (job->easy == nullptr) until = std::min(until, job->deadline);
  }
  if (!waiting_.empty()) until = std::min(until, waiting_.front()->deadline);
  const auto wait = std::chrono::ceil<milliseconds>(until - steady_clock::now());
  return std::max(0, static_cast<int>(wait.count()));
}

void Transfers::Loop::Run() {
  BlockBrokenPipes();
  while (TakeMail()) {
    ExpireLookups();
    Begin();
    int num_running = 0;
    curl_multi_perform(multi_, &num_running);
    FinishDone();
    if (!waiting_.empty() && jobs_.size() < options_.max_running) continue;
    curl_multi_poll(multi_, nullptr, 0, PollMs(), nullptr);
  }
  while (!jobs_.empty()) Finish(jobs_.begin()->first, Cancelled("closing"));
  for (const std::unique_ptr<Job>& job : waiting_) job->done({Cancelled("closing"), 0, std::nullopt});
}

Transfers::Transfers(Lookup& lookup, const TransfersOptions& options)
    : loop_(std::make_unique<Loop>(lookup, options)) {}
Transfers::~Transfers() = default;
void Transfers::Start(Transfer transfer, Done done) { loop_->Start(std::move(transfer), std::move(done)); }
const TransfersOptions& Transfers::options() const { return loop_->options(); }

}  // namespace pawsight::notify
