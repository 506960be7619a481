#include "worker/served.h"

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "built.h"
#include "worker/load.h"

namespace pawsight::bench {
namespace {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double BenchRate(const std::vector<std::string>& model, int threads, int teams, double seconds) {
  std::vector<std::string> argv = {BuildDir() + "/pawsight",
                                   "bench",
                                   "--json",
                                   "--precision",
                                   "int8",
                                   "--questions",
                                   "1",
                                   "--steps",
                                   "1",
                                   "--threads",
                                   std::to_string(threads),
                                   "--teams",
                                   std::to_string(teams),
                                   "--seconds",
                                   std::to_string(seconds)};
  argv.insert(argv.end(), model.begin(), model.end());
  const auto line = Json::Parse(OutputOf(argv));
  CHECK(line.ok());
  return line->Find("frames_per_s")->as_number();
}

}  // namespace

Served MeasureServed(bool base, int threads, int teams, int rounds, double seconds) {
  const std::vector<std::string> for_bench =
      base ? std::vector<std::string>{"--random-base"} : std::vector<std::string>{};
  (void)BenchRate(for_bench, threads, teams, 0.1);  // writes and compiles the model
  std::vector<std::string> for_worker = {"--threads", std::to_string(threads), "--teams", std::to_string(teams)};
  if (base) {
    for_worker.insert(for_worker.end(), {"--model", CacheHome() + "/pawsight/random-base"});
  }
  const std::unique_ptr<tools::WorkerProcess> worker = StartWorker(for_worker);
  Load load(worker->http_url());
  std::vector<double> served;
  std::vector<double> passed;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    served.push_back(load.AnswersPerSecond(3 * teams, seconds));
    passed.push_back(BenchRate(for_bench, threads, teams, seconds));
    ratios.push_back(served.back() / passed.back());
  }
  return {Median(served), Median(passed), Median(ratios)};
}

}  // namespace pawsight::bench
