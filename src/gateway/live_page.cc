#include "gateway/live_page.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "frames/decode.h"
#include "gateway/web_assets.h"

namespace pawsight::gateway {
namespace {

/// Nothing from elsewhere, nothing inline, in nobody's frame.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

net::HttpHandler Asset(std::string_view type, std::string_view body) {
  return [type, body](const net::HttpRequest&) {
    return net::HttpResponse{
        200,
        std::string(type),
        std::string(body),
        {{"Content-Security-Policy", std::string(kContentPolicy)}, {"Referrer-Policy", "no-referrer"}}};
  };
}

net::HttpResponse JsonResponse(const Json& json) { return {200, "application/json", json.Dump() + "\n", {}}; }

int64_t UnixMs(Time time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

/// A number of the query, `otherwise` without one.
Result<int64_t> QueryNumber(const net::HttpRequest& request, std::string_view name, int64_t otherwise) {
  const std::string_view text = request.Query(name);
  if (text.empty()) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return InvalidArgument(std::string(name) + ": want a number, 0 or more");
  }
  return value;
}

}  // namespace

LivePage::LivePage(std::string camera, std::string source, std::string backend, std::vector<rules::Rule> rules,
                   events::Store* store, Picture picture)
    : camera_(std::move(camera)),
      source_(std::move(source)),
      backend_(std::move(backend)),
      rules_(std::move(rules)),
      store_(store),
      picture_(std::move(picture)),
      views_(rules_.size()) {}

void LivePage::AddRoutes(net::Router& router) {
  router.Add("GET", "/", Asset("text/html; charset=utf-8", kIndexHtml));
  router.Add("GET", "/app.js", Asset("text/javascript; charset=utf-8", kAppJs));
  router.Add("GET", "/app.css", Asset("text/css; charset=utf-8", kAppCss));
  router.Add("GET", "/icon.svg", Asset("image/svg+xml", kIconSvg));
  router.Add("GET", "/frame.jpg", [this](const net::HttpRequest&) { return FrameImage(); });
  router.Add("GET", "/api/v1/state", [this](const net::HttpRequest&) { return JsonResponse(State()); });
  router.Add("GET", "/api/v1/events", [this](const net::HttpRequest& request) { return ListEvents(request); });
  router.AddStream("/events", {&broadcast_, [this] { return net::FormatServerSentEvent("state", State().Dump()); }});
}

void LivePage::Note(const FrameReport& report) {
  const FrameResult& result = *report.result;
  MutexLock lock(mu_);
  number_ = report.number;
  time_ = result.time;
  for (const Outcome& outcome : result.outcomes) {
    const auto at =
        std::find_if(rules_.begin(), rules_.end(), [&](const auto& rule) { return rule.id == outcome.rule; });
    if (at == rules_.end()) continue;
    RuleView& view = views_[static_cast<size_t>(at - rules_.begin())];
    view.phase = outcome.phase;
    view.reason = outcome.reason;
    ++view.counts[static_cast<size_t>(outcome.reason)];
    if (outcome.p_yes) view.points.push_back({UnixMs(result.time), *outcome.p_yes});
    if (view.points.size() > kMaxPagePoints) view.points.pop_front();
  }
  for (size_t i = 0; i < result.changes.size(); ++i) {
    if (result.changes[i].change != AlertChange::kUpdated) alerts_.push_front(AlertToJson(report, i));
  }
  if (alerts_.size() > kMaxPageAlerts) alerts_.resize(kMaxPageAlerts);
}

void LivePage::OnFrame(const std::vector<rules::Rule>&, const FrameReport& report) {
  Note(report);
  Json frame = FrameToJson(report);
  frame.Set("time_ms", UnixMs(report.result->time));
  broadcast_.Publish("frame", frame.Dump());
  for (size_t i = 0; i < report.result->changes.size(); ++i) {
    if (report.result->changes[i].change == AlertChange::kUpdated) continue;  // the rule's curve shows it
    broadcast_.Publish("alert", AlertToJson(report, i).Dump());
  }
}

Json LivePage::RuleState(size_t rule_idx) const {
  const RuleView& view = views_[rule_idx];
  Json json = rules::RuleToJson(rules_[rule_idx]);
  json.Set("phase", rules::AlertPhaseName(view.phase));
  json.Set("reason", rules::ReasonName(view.reason));
  Json counts(Json::Object{});
  for (const rules::Reason reason : rules::AllReasons()) {
    const uint64_t count = view.counts[static_cast<size_t>(reason)];
    if (count > 0) counts.Set(rules::ReasonName(reason), count);
  }
  json.Set("counts", std::move(counts));
  Json::Array points;
  for (const Point& point : view.points) points.push_back(Json::Array{point.time_ms, point.p_yes});
  json.Set("points", std::move(points));
  return json;
}

Json LivePage::State() const {
  MutexLock lock(mu_);
  Json::Array rule_states;
  for (size_t i = 0; i < rules_.size(); ++i) rule_states.push_back(RuleState(i));
  Json json(Json::Object{{"camera", camera_},
                         {"source", source_},
                         {"backend", backend_},
                         {"frame", number_ == 0 ? Json() : Json(number_)},
                         {"time_ms", number_ == 0 ? Json() : Json(UnixMs(time_))},
                         {"rules", std::move(rule_states)},
                         {"alerts", Json::Array(alerts_.begin(), alerts_.end())}});
  return json;
}

net::HttpResponse LivePage::FrameImage() const {
  const std::optional<NewestFrame> newest = picture_();
  if (!newest) return net::ProblemResponse(404, "no_frame", "no frame has come yet");
  const std::vector<uint8_t>& bytes = *newest->encoded;
  return {200,
          "image/" + std::string(frames::SniffType(bytes)),
          std::string(bytes.begin(), bytes.end()),
          {{"Content-Security-Policy", std::string(kContentPolicy)}}};
}

net::HttpResponse LivePage::ListEvents(const net::HttpRequest& request) {
  const Result<int64_t> after = QueryNumber(request, "after", 0);
  const Result<int64_t> limit = QueryNumber(request, "limit", 100);
  if (!after.ok()) return net::ProblemResponse(after.status());
  if (!limit.ok()) return net::ProblemResponse(limit.status());
  if (store_ == nullptr) return net::ProblemResponse(404, "no_store", "events are not recorded");
  const int most = static_cast<int>(std::min<int64_t>(*limit, events::kMaxListed));
  const Result<std::vector<events::Event>> listed = store_->List(*after, most);
  if (!listed.ok()) return net::ProblemResponse(listed.status());
  Json::Array events;
  for (const events::Event& event : *listed) {
    events.push_back(Json::Object{{"sequence", event.sequence},
                                  {"id", event.id},
                                  {"time", FormatTime(event.time)},
                                  {"type", event.type},
                                  {"camera", event.camera},
                                  {"rule", event.rule},
                                  {"detail", event.detail}});
  }
  const int64_t next = listed->empty() ? *after : listed->back().sequence;
  return JsonResponse(Json(Json::Object{{"events", std::move(events)}, {"after", next}}));
}

}  // namespace pawsight::gateway
