#include "tools/stress_result.h"

#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/files.h"

namespace pawsight::tools {
namespace {

constexpr std::string_view kFormat = "pawsight-stress";
constexpr int64_t kVersion = 1;
constexpr size_t kMaxBytes = 16U << 20U;
constexpr size_t kMaxCells = 100'000;
constexpr size_t kMaxReasons = 256;  // of a cell

constexpr std::array<std::pair<CellRole, std::string_view>, 4> kRoles{{{CellRole::kGrid, "grid"},
                                                                       {CellRole::kOpen, "open"},
                                                                       {CellRole::kCheckCap, "check_cap"},
                                                                       {CellRole::kCheckOverload, "check_overload"}}};

int64_t Sum(const std::map<std::string, int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0},
                         [](int64_t sum, const auto& entry) { return sum + entry.second; });
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json CountsToJson(const std::map<std::string, int64_t>& counts) {
  Json::Object object;
  for (const auto& [reason, count] : counts) object.emplace_back(reason, count);
  return object;
}

Json PercentileToJson(const Percentile& p) {
  return Json::Object{{"ms", p.ms}, {"low_ms", p.low_ms}, {"high_ms", p.high_ms}};
}

Json LatencyToJson(const LatencySummary& latency) {
  return Json::Object{{"count", latency.count},
                      {"mean_ms", latency.mean_ms},
                      {"p50", PercentileToJson(latency.p50)},
                      {"p90", PercentileToJson(latency.p90)},
                      {"p99", PercentileToJson(latency.p99)},
                      {"p99_9", PercentileToJson(latency.p99_9)},
                      {"max_ms", latency.max_ms}};
}

/// A reader of one object's members that keeps the first error, so that a struct is read in one sweep.
class Reader {
 public:
  Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) Fail(InvalidArgument("want an object"));
  }

  Reader& Text(std::string_view key, std::string* value) { return Take(json_.GetString(key), value); }
  Reader& Bool(std::string_view key, bool* value) { return Take(json_.GetBool(key), value); }
  /// 0 or more.
  Reader& Number(std::string_view key, double* value) {
    Take(json_.GetNumber(key), value);
    if (status_.ok() && !(*value >= 0)) Fail(InvalidArgument(std::string(key) + ": want 0 or more"));
    return *this;
  }
  Reader& Count(std::string_view key, int64_t* value) { return Take(json_.GetInteger(key, 0, INT64_MAX), value); }
  Reader& Count(std::string_view key, int* value) {
    int64_t wide = 0;
    Take(json_.GetInteger(key, 0, INT32_MAX), &wide);
    *value = static_cast<int>(wide);
    return *this;
  }
  /// null, or not there: absent.
  Reader& Number(std::string_view key, std::optional<double>* value) {
    double number = 0;
    if (!Has(key)) return *this;
    Number(key, &number);
    *value = number;
    return *this;
  }
  Reader& Bool(std::string_view key, std::optional<bool>* value) {
    bool read = false;
    if (!Has(key)) return *this;
    Bool(key, &read);
    *value = read;
    return *this;
  }
  Reader& Counts(std::string_view key, std::map<std::string, int64_t>* counts) {
    const Result<const Json::Object*> object = json_.GetObject(key);
    if (!object.ok()) return Fail(object.status());
    if ((*object)->size() > kMaxReasons) return Fail(InvalidArgument(std::string(key) + ": too many reasons"));
    for (const auto& [reason, count] : **object) {
      if (!count.is_integer() || count.as_integer() < 0) {
        return Fail(InvalidArgument(std::string(key) + "." + reason + ": want a count"));
      }
      (*counts)[reason] = count.as_integer();
    }
    return *this;
  }
  /// The member as a reader of its own; an error in it is this one's.
  template <typename Read>
  Reader& Object(std::string_view key, Read read) {
    const Json* member = json_.Find(key);
    if (member == nullptr) return Fail(InvalidArgument(std::string(key) + ": missing, want an object"));
    Reader inner(*member, std::string(key));
    if (inner.status_.ok()) read(inner);
    if (!inner.status_.ok()) status_ = status_.ok() ? Annotated(inner.status_) : status_;
    return *this;
  }
  bool Has(std::string_view key) const {
    const Json* member = json_.Find(key);
    return member != nullptr && !member->is_null();
  }

  Reader& Fail(const Status& status) {
    if (status_.ok()) status_ = Annotated(status);
    return *this;
  }
  const Status& status() const { return status_; }

 private:
  Status Annotated(const Status& status) const { return path_.empty() ? status : Annotate(status, path_); }

  template <typename T, typename Value>
  Reader& Take(Result<T> read, Value* value) {
    if (!read.ok()) return Fail(read.status());
    *value = std::move(read).value();
    return *this;
  }

  const Json& json_;
  const std::string path_;
  Status status_;
};

void ReadPercentile(Reader& in, std::string_view key, Percentile* p) {
  in.Object(key,
            [&](Reader& r) { r.Number("ms", &p->ms).Number("low_ms", &p->low_ms).Number("high_ms", &p->high_ms); });
}

void ReadLatency(Reader& in, LatencySummary* latency) {
  in.Count("count", &latency->count).Number("mean_ms", &latency->mean_ms).Number("max_ms", &latency->max_ms);
  ReadPercentile(in, "p50", &latency->p50);
  ReadPercentile(in, "p90", &latency->p90);
  ReadPercentile(in, "p99", &latency->p99);
  ReadPercentile(in, "p99_9", &latency->p99_9);
}

Json LawToJson(const LawFit& law) {
  return Json::Object{{"server", law.server},        {"lambda", law.lambda}, {"sigma", law.sigma},
                      {"kappa", law.kappa},          {"r2", law.r2},         {"peak_clients", law.peak_clients},
                      {"peak_per_s", law.peak_per_s}};
}

void ReadLaw(Reader& in, LawFit* law) {
  in.Count("server", &law->server).Number("lambda", &law->lambda).Number("sigma", &law->sigma);
  in.Number("kappa", &law->kappa).Number("r2", &law->r2);
  in.Number("peak_clients", &law->peak_clients).Number("peak_per_s", &law->peak_per_s);
}

Json RecommendationToJson(const Recommendation& r) {
  return Json::Object{{"server", r.server},
                      {"cap", r.cap},
                      {"frames_per_s", r.frames_per_s},
                      {"safe_per_s", r.safe_per_s},
                      {"latency_ms", r.latency_ms},
                      {"slo_kept", r.slo_kept},
                      {"why", r.why},
                      {"cap_holds", OrNull(r.cap_holds)},
                      {"overload_holds", OrNull(r.overload_holds)},
                      {"cap_set", OrNull(r.cap_set)},
                      {"price_per_million_frames", OrNull(r.price_per_million_frames)},
                      {"price_per_million_answers", OrNull(r.price_per_million_answers)}};
}

void ReadRecommendation(Reader& in, Recommendation* r) {
  in.Count("server", &r->server).Count("cap", &r->cap).Number("frames_per_s", &r->frames_per_s);
  in.Number("safe_per_s", &r->safe_per_s).Number("latency_ms", &r->latency_ms);
  in.Bool("slo_kept", &r->slo_kept).Text("why", &r->why);
  in.Bool("cap_holds", &r->cap_holds).Bool("overload_holds", &r->overload_holds);
  in.Bool("cap_set", &r->cap_set);
  in.Number("price_per_million_frames", &r->price_per_million_frames);
  in.Number("price_per_million_answers", &r->price_per_million_answers);
}

/// What the file says beside its lists.
void ReadHead(Reader& in, StressResult* result) {
  in.Text("made_at", &result->made_at).Text("version", &result->version).Bool("complete", &result->complete);
  in.Object("target", [&](Reader& r) {
    StressTarget& t = result->target;
    r.Text("kind", &t.kind).Text("name", &t.name).Text("protocol", &t.protocol).Text("precision", &t.precision);
    if (r.Has("path")) r.Text("path", &t.path);
  });
  in.Object("load", [&](Reader& r) {
    StressLoad& l = result->load;
    int64_t seed = 0;
    r.Text("frames", &l.frames).Count("distinct_frames", &l.distinct_frames).Number("frame_bytes", &l.frame_bytes);
    r.Count("questions_a_frame", &l.questions_a_frame).Number("warmup_s", &l.warmup_s);
    r.Number("duration_s", &l.duration_s).Count("seed", &seed);
    l.seed = static_cast<uint64_t>(seed);
    if (r.Has("cameras")) r.Count("cameras", &l.cameras);
  });
  in.Object("machine",
            [&](Reader& r) { r.Text("processor", &result->machine.processor).Count("cores", &result->machine.cores); });
  in.Object("slo", [&](Reader& r) {
    r.Number("quantile", &result->slo.quantile).Number("latency_ms", &result->slo.latency_ms);
    if (result->slo.quantile > 1) r.Fail(InvalidArgument("quantile: want 0..1"));
  });
  in.Number("price_per_hour", &result->price_per_hour);
}

}  // namespace

std::string_view CellRoleName(CellRole role) {
  for (const auto& [known, name] : kRoles) {
    if (known == role) return name;
  }
  CHECK(false);
}

int64_t StressCell::num_gated() const { return Sum(gated); }
int64_t StressCell::num_refused() const { return Sum(refused); }
int64_t StressCell::num_failed() const { return Sum(failed); }
int64_t StressCell::num_unseen() const { return Sum(unseen); }
double StressCell::answered_share() const {
  const int64_t of = latency.count + num_failed() + (clients == 0 ? num_refused() : 0);
  return of == 0 ? 0 : static_cast<double>(latency.count) / static_cast<double>(of);
}

Json CellToJson(const StressCell& cell) {
  Json times;
  if (cell.server_times) {
    times = Json::Object{{"queue_ms", cell.server_times->queue_ms}, {"compute_ms", cell.server_times->compute_ms}};
  }
  return Json::Object{{"role", CellRoleName(cell.role)},
                      {"server", cell.server},
                      {"clients", cell.clients},
                      {"rate_per_s", cell.rate_per_s},
                      {"arrivals", cell.arrivals},
                      {"seconds", cell.seconds},
                      {"offered", cell.offered},
                      {"answered", cell.answered},
                      {"answers", cell.answers},
                      {"answered_share", cell.answered_share()},
                      {"gated", CountsToJson(cell.gated)},
                      {"refused", CountsToJson(cell.refused)},
                      {"failed", CountsToJson(cell.failed)},
                      {"unseen", CountsToJson(cell.unseen)},
                      {"outcomes", CountsToJson(cell.outcomes)},
                      {"frames_per_s", cell.frames_per_s},
                      {"answers_per_s", cell.answers_per_s},
                      {"latency", LatencyToJson(cell.latency)},
                      {"refused_p99_ms", cell.refused_p99_ms},
                      {"server_times", std::move(times)},
                      {"client_cores", cell.client_cores},
                      {"server_cores", OrNull(cell.server_cores)},
                      {"server_rss_mb", OrNull(cell.server_rss_mb)},
                      {"machine_busy", cell.machine_busy},
                      {"late_p99_ms", cell.late_p99_ms},
                      {"client_saturated", cell.client_saturated},
                      {"gate_limited", cell.gate_limited}};
}

Result<StressCell> CellFromJson(const Json& json) {
  StressCell cell;
  std::string role;
  Reader in(json, "");
  in.Text("role", &role).Count("server", &cell.server).Count("clients", &cell.clients);
  in.Number("rate_per_s", &cell.rate_per_s).Text("arrivals", &cell.arrivals).Number("seconds", &cell.seconds);
  in.Count("offered", &cell.offered).Count("answered", &cell.answered).Count("answers", &cell.answers);
  in.Counts("refused", &cell.refused).Counts("failed", &cell.failed);
  if (in.Has("gated")) in.Counts("gated", &cell.gated);
  if (in.Has("unseen")) in.Counts("unseen", &cell.unseen);
  if (in.Has("outcomes")) in.Counts("outcomes", &cell.outcomes);
  in.Number("frames_per_s", &cell.frames_per_s).Number("answers_per_s", &cell.answers_per_s);
  in.Object("latency", [&](Reader& r) { ReadLatency(r, &cell.latency); });
  in.Number("refused_p99_ms", &cell.refused_p99_ms);
  if (in.Has("server_times")) {
    cell.server_times.emplace();
    in.Object("server_times", [&](Reader& r) {
      r.Number("queue_ms", &cell.server_times->queue_ms).Number("compute_ms", &cell.server_times->compute_ms);
    });
  }
  in.Number("client_cores", &cell.client_cores).Number("server_cores", &cell.server_cores);
  in.Number("server_rss_mb", &cell.server_rss_mb).Number("machine_busy", &cell.machine_busy);
  in.Number("late_p99_ms", &cell.late_p99_ms).Bool("client_saturated", &cell.client_saturated);
  if (in.Has("gate_limited")) in.Bool("gate_limited", &cell.gate_limited);
  if (!in.status().ok()) return in.status();
  for (const auto& [known, name] : kRoles) {
    if (name != role) continue;
    cell.role = known;
    return cell;
  }
  return InvalidArgument("role: want grid, open, check_cap or check_overload");
}

Json ResultToJson(const StressResult& result) {
  Json::Array cells, laws;
  for (const StressCell& cell : result.cells) cells.push_back(CellToJson(cell));
  for (const LawFit& law : result.laws) laws.push_back(LawToJson(law));
  const StressLoad& load = result.load;
  return Json::Object{
      {"format", kFormat},
      {"format_version", kVersion},
      {"made_at", result.made_at},
      {"version", result.version},
      {"complete", result.complete},
      {"target", Json::Object{{"kind", result.target.kind},
                              {"name", result.target.name},
                              {"protocol", result.target.protocol},
                              {"precision", result.target.precision},
                              {"path", result.target.path}}},
      {"load", Json::Object{{"frames", load.frames},
                            {"distinct_frames", load.distinct_frames},
                            {"frame_bytes", load.frame_bytes},
                            {"questions_a_frame", load.questions_a_frame},
                            {"warmup_s", load.warmup_s},
                            {"duration_s", load.duration_s},
                            {"seed", load.seed},
                            {"cameras", load.cameras}}},
      {"machine", Json::Object{{"processor", result.machine.processor}, {"cores", result.machine.cores}}},
      {"slo", Json::Object{{"quantile", result.slo.quantile}, {"latency_ms", result.slo.latency_ms}}},
      {"price_per_hour", OrNull(result.price_per_hour)},
      {"cells", std::move(cells)},
      {"laws", std::move(laws)},
      {"recommendation", result.recommendation ? RecommendationToJson(*result.recommendation) : Json()}};
}

Result<StressResult> ResultFromJson(const Json& json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string format, json.GetString("format"));
  if (format != kFormat) return InvalidArgument("format: want \"" + std::string(kFormat) + "\"");
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t version, json.GetInteger("format_version"));
  if (version != kVersion) return InvalidArgument("format_version: want 1; a newer pawsight wrote this");
  StressResult result;
  Reader in(json, "");
  ReadHead(in, &result);
  if (in.Has("recommendation")) {
    result.recommendation.emplace();
    in.Object("recommendation", [&](Reader& r) { ReadRecommendation(r, &*result.recommendation); });
  }
  if (!in.status().ok()) return in.status();
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const cells, json.GetArray("cells"));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* const laws, json.GetArray("laws"));
  if (cells->size() > kMaxCells || laws->size() > kMaxCells) return InvalidArgument("cells, laws: too many");
  for (size_t i = 0; i < cells->size(); ++i) {
    Result<StressCell> cell = CellFromJson((*cells)[i]);
    if (!cell.ok()) return Annotate(cell.status(), "cells[" + std::to_string(i) + "]");
    result.cells.push_back(std::move(cell).value());
  }
  for (size_t i = 0; i < laws->size(); ++i) {
    Reader law((*laws)[i], "laws[" + std::to_string(i) + "]");
    ReadLaw(law, &result.laws.emplace_back());
    if (!law.status().ok()) return law.status();
  }
  return result;
}

Result<StressResult> ReadResult(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxBytes));
  const Result<Json> json = Json::Parse(text);
  if (!json.ok()) return Annotate(json.status(), path);
  Result<StressResult> result = ResultFromJson(*json);
  if (!result.ok()) return Annotate(result.status(), path);
  return result;
}

}  // namespace pawsight::tools
