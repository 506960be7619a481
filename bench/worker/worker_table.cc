// `./run bench worker`: what the inference tier is to reach, one line a number: what, how much is wanted, what was
// measured here. The load shares the worker's cores.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/json.h"
#include "built.h"
#include "table.h"
#include "worker/abuse.h"
#include "worker/served.h"

namespace pawsight::bench {
namespace {

/// The counters of the one benchmark that the filter names, with "items_per_second" among them.
Json CountersOf(const std::string& program, const std::string& filter) {
  const std::string text =
      OutputOf({BuildDir() + "/" + program, "--benchmark_filter=^" + filter + "$", "--benchmark_format=json"});
  const auto json = Json::Parse(text);
  CHECK(json.ok());
  const Json::Array& runs = json->Find("benchmarks")->as_array();
  CHECK(runs.size() == 1);
  return runs.front();
}

double Number(const Json& counters, const std::string& name) {
  const Json* found = counters.Find(name);
  CHECK(found != nullptr);
  return found->as_number();
}

void Doors() {
  const Json http = CountersOf("server_bench", "http/infer_30kB/binary/real_time");
  Row("HTTP, 30 kB, empty model, one core: 1e6 / server_us", Want::kAtLeast, 15000, 1e6 / Number(http, "server_us"),
      "/s");
  Row("  with the client on another core", Want::kNothing, 0, Number(http, "requests/s"), "/s");
  const Json grpc = CountersOf("rpc_bench", "BM_GrpcInfer30kB/calls:64/real_time");
  Row("gRPC, 30 kB, empty model, client on the same cores", Want::kAtLeast, 12000, Number(grpc, "items_per_second"),
      "/s");
  Row("an idle connection that had an answer, of 10,000", Want::kAtMost, 32000,
      Number(CountersOf("server_bench", "http/idle/10000/iterations:1"), "bytes_each"), "B");
  std::vector<double> ratios;
  for (int pair = 0; pair < 3; ++pair) {
    const auto p99 = [](const char* slow) {
      return Number(CountersOf("server_bench", std::string("http/beside_slow_headers/") + slow), "p99_us");
    };
    const double alone = p99("0/iterations:10000/real_time");
    ratios.push_back(p99("10000/iterations:10000/real_time") / alone);
  }
  std::sort(ratios.begin(), ratios.end());
  Row("a good client's p99 beside 10,000 slow headers, against alone", Want::kAtMost, 1.2, ratios[1], "x");
  const std::pair<const char*, Json> goes[] = {
      {"HTTP", CountersOf("server_bench", "http/client_goes/iterations:1000/manual_time")},
      {"gRPC", CountersOf("rpc_bench", "BM_GrpcClientGoes/iterations:1000/manual_time")}};
  for (const auto& [door, times] : goes) {
    const std::string what = std::string(door) + ": a client goes, its slot is free, ";
    Row(what + "p50 of 1,000", Want::kNothing, 0, Number(times, "p50_us") / 1000, "ms");
    Row(what + "p99", Want::kNothing, 0, Number(times, "p99_us") / 1000, "ms");
    Row(what + "the slowest", Want::kAtMost, 50, Number(times, "slowest_us") / 1000, "ms");
  }
}

void Scheduler() {
  const Json adds = CountersOf("scheduler_bench", "EmptyModelAdds/0/iterations:1");
  Row("scheduler adds at half load, p50", Want::kAtMost, 1, Number(adds, "p50_us") / 1000, "ms");
  Row("scheduler adds at half load, p99", Want::kAtMost, 3, Number(adds, "p99_us") / 1000, "ms");
  const Json served = CountersOf("scheduler_bench", "Served/1/1/iterations:1");
  for (const int factor : {2, 5, 10}) {
    const std::string times = std::to_string(factor) + "x";
    Row("goodput of peak at " + times + ", pawsight-mini int8", Want::kAtLeast, 0.9, Number(served, times + "_goodput"),
        "");
    Row("  a refusal there, p99", Want::kAtMost, 10, Number(served, times + "_refused_p99_ms"), "ms");
  }
}

void Throughput(bool base, int threads, int teams) {
  const Served served = MeasureServed(base, threads, teams, 5, base ? 10 : 4);
  const std::string what = std::string(base ? "BLIP base's size" : "pawsight-mini") + ", int8, " +
                           std::to_string(teams) + " x " + std::to_string(threads) + " threads: worker / bench";
  Row(what, base ? Want::kAtLeast : Want::kNothing, 0.92, served.ratio, "x");
  Row("  worker, frames with one question", Want::kNothing, 0, served.worker_per_s, "/s");
  Row("  pawsight bench", Want::kNothing, 0, served.bench_per_s, "/s");
}

void Throughputs() {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  Throughput(true, cores, 1);
  Throughput(true, 1, cores);
  Throughput(false, 1, 1);
}

void Endurance(double minutes) {
  const Abused abused = Abuse(minutes);
  Row("memory after the abuse against after a sixth of it", Want::kAtMost, 1.02, 1 + abused.growth, "x");
  Row("  at the end", Want::kNothing, 0, abused.mb_late, "MB");
  Row("  bad requests", Want::kNothing, 0, static_cast<double>(abused.abuses), "");
  Row("  a good client's requests meanwhile", Want::kNothing, 0, static_cast<double>(abused.good_asked), "");
  Row("  of these refused as too much", Want::kNothing, 0, static_cast<double>(abused.good_refused), "");
  Row("  of these failed", Want::kAtMost, 0, static_cast<double>(abused.good_failed), "");
}

constexpr const char* kUsage = R"(usage: worker_table [doors] [scheduler] [throughput] [abuse] [--minutes M]
Without a name: all but abuse. --minutes: of abuse, 30 when left out, which is what is wanted.
)";

int Main(const std::vector<std::string>& arguments) {
  std::vector<std::string> parts;
  double minutes = 30;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool last = i + 1 == arguments.size();
    if (arguments[i] == "--minutes" && !last) {
      minutes = std::atof(arguments[++i].c_str());
    } else {
      parts.push_back(arguments[i]);
    }
  }
  if (parts.empty()) parts = {"doors", "scheduler", "throughput"};
  const std::map<std::string, std::function<void()>> known = {
      {"doors", Doors}, {"scheduler", Scheduler}, {"throughput", Throughputs}, {"abuse", [&] { Endurance(minutes); }}};
  for (const std::string& part : parts) {
    if (known.contains(part) && minutes > 0) continue;
    std::fputs(kUsage, stderr);
    return 2;
  }
  setenv("XDG_CACHE_HOME", CacheHome().c_str(), 1);
  std::printf("%u cores, the load on the same; what, wanted, measured\n\n", std::thread::hardware_concurrency());
  for (const std::string& part : parts) known.at(part)();
  return 0;
}

}  // namespace
}  // namespace pawsight::bench

int main(int argc, char** argv) { return pawsight::bench::Main({argv + 1, argv + argc}); }
