#include "apps/score_tables.h"

#include <cstdio>
#include <string>
#include <utility>

#include "base/json.h"

namespace pawsight {
namespace {

using evaluate::Counts;
using evaluate::Reliability;
using evaluate::Tally;

void PrintJson(const Json& json) { std::printf("%s\n", json.Dump().c_str()); }

void PrintCountsJson(const std::string& set, const char* key, const std::string& name, const Counts& counts) {
  PrintJson(Json(Json::Object{{"set", set},
                              {key, name},
                              {"asked", counts.asked},
                              {"right", counts.right},
                              {"yes", counts.yes},
                              {"no", counts.no},
                              {"yes_right", counts.yes_right},
                              {"no_right", counts.no_right},
                              {"words_alone", counts.words_alone},
                              {"always_no", counts.always_no}}));
}

Json ToJson(const Reliability& reliability) {
  Json bins{Json::Array{}};
  for (const evaluate::ReliabilityBin& bin : reliability.bins) {
    if (bin.weight <= 0.0) continue;
    bins.Append(Json(Json::Object{{"p", bin.p}, {"right", bin.right}, {"questions", bin.weight}}));
  }
  return Json(Json::Object{{"ece", reliability.ece}, {"bins", std::move(bins)}});
}

void PrintTallyJson(const Tally& tally) {
  for (const auto& [family, counts] : tally.families) PrintCountsJson(tally.set, "family", family, counts);
  PrintCountsJson(tally.set, "group", "yes/no", tally.yes_no);
  PrintCountsJson(tally.set, "group", "counts", tally.counts);
  PrintCountsJson(tally.set, "group", "other words", tally.words);
  PrintCountsJson(tally.set, "group", "all", tally.all);
  Json confusions{Json::Array{}};
  for (const evaluate::Confusion& one : tally.confusions) {
    confusions.Append(Json(Json::Object{{"truth", one.truth}, {"answer", one.answer}, {"times", one.times}}));
  }
  PrintJson(Json(Json::Object{{"set", tally.set}, {"confusions", std::move(confusions)}}));
  PrintJson(Json(Json::Object{{"set", tally.set},
                              {"yes_no_before_calibration", ToJson(tally.before)},
                              {"yes_no", ToJson(tally.after)},
                              {"in_words", ToJson(tally.in_words)}}));
}

void PrintFamily(const std::string& name, const Counts& counts) {
  std::printf("%-22s %6d %6.1f %% %9.1f %%", name.c_str(), counts.asked, counts.Percent(counts.right),
              counts.Percent(counts.words_alone));
  if (counts.yes > 0) std::printf(" %8.1f %% of %5d", 100.0 * counts.yes_right / counts.yes, counts.yes);
  if (counts.yes == 0 && counts.no > 0) std::printf(" %19s", "");
  if (counts.no > 0) std::printf(" %8.1f %% of %5d", 100.0 * counts.no_right / counts.no, counts.no);
  std::printf("\n");
}

void PrintGroup(const char* name, const Counts& counts) {
  if (counts.asked == 0) return;
  std::printf("%-22s %6d %6.1f %% %9.1f %%", name, counts.asked, counts.Percent(counts.right),
              counts.Percent(counts.words_alone));
  if (counts.yes + counts.no > 0) std::printf(" %9.1f %%", counts.Percent(counts.always_no));
  std::printf("\n");
}

void PrintReliability(const Tally& tally) {
  if (tally.yes_no.asked > 0) {
    std::printf("\nexpected calibration error of yes/no: %.4f (without calibration %.4f)\n", tally.after.ece,
                tally.before.ece);
    std::printf("%-22s %10s %10s\n", "said", "right", "questions");
    for (const evaluate::ReliabilityBin& bin : tally.after.bins) {
      if (bin.weight > 0) std::printf("%-22.3f %8.1f %% %10.0f\n", bin.p, 100 * bin.right, bin.weight);
    }
  }
  if (tally.in_words.weight > 0) std::printf("expected calibration error of words: %.4f\n", tally.in_words.ece);
}

}  // namespace

void PrintTally(const evaluate::Observed& observed, const Tally& tally, bool json) {
  if (json) return PrintTallyJson(tally);
  std::printf("\n== %s: %zu pictures, %d questions\n\n", tally.set.c_str(), observed.pictures.size(), tally.all.asked);
  std::printf("%-22s %6s %8s %11s %19s %19s\n", "family", "asked", "right", "words alone", "right, true yes",
              "right, true no");
  for (const auto& [family, counts] : tally.families) PrintFamily(family, counts);
  std::printf("\n%-22s %6s %8s %11s %11s\n", "answers", "asked", "right", "words alone", "always no");
  PrintGroup("yes/no", tally.yes_no);
  PrintGroup("counts", tally.counts);
  PrintGroup("other words", tally.words);
  PrintGroup("all", tally.all);
  if (tally.yes_no.asked > 0) {
    std::printf("\n%-22s %10s %10s\n", "yes/no", "said yes", "said no");
    std::printf("%-22s %10d %10d\n", "true yes", tally.yes_no.yes_right, tally.yes_no.yes - tally.yes_no.yes_right);
    std::printf("%-22s %10d %10d\n", "true no", tally.yes_no.no - tally.yes_no.no_right, tally.yes_no.no_right);
  }
  if (!tally.confusions.empty()) std::printf("\n%-22s %-22s %6s\n", "true word", "said", "times");
  for (const evaluate::Confusion& one : tally.confusions) {
    std::printf("%-22s %-22s %6d\n", one.truth.c_str(), one.answer.c_str(), one.times);
  }
  PrintReliability(tally);
}

void PrintUnknownTally(const evaluate::UnknownTally& tally, bool json) {
  if (!json) {
    std::printf("\n== unknown: %d answers to questions that the model never learned\n\n", tally.all.asked);
    std::printf("%-48s %6s %11s %9s %9s\n", "question", "asked", "|p - 0.5|", "unsure", "bold");
  }
  const auto print = [json](const std::string& question, const evaluate::UnknownCounts& counts) {
    if (json) {
      PrintJson(Json(Json::Object{{"set", "unknown"},
                                  {"question", question},
                                  {"asked", counts.asked},
                                  {"mean_distance", counts.distance},
                                  {"unsure", counts.in_band},
                                  {"bold", counts.bold}}));
    } else {
      std::printf("%-48s %6d %11.3f %7.1f %% %7.1f %%\n", question.c_str(), counts.asked, counts.distance,
                  100 * counts.in_band, 100 * counts.bold);
    }
  };
  for (const auto& [question, counts] : tally.questions) print(question, counts);
  print("all", tally.all);
  if (!json) std::printf("unsure: inside the model's unsure band; bold: p_yes below 0.2 or above 0.8\n");
}

}  // namespace pawsight
