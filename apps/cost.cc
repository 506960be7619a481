// apps/cost.cc: `pawsight cost`: what a frame, an answer and a camera cost, and why that is less than the baseline's.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "apps/commands.h"
#include "base/files.h"
#include "base/json.h"
#include "tools/cost_model.h"
#include "tools/gate_score.h"
#include "tools/pricing.h"
#include "tools/stress_result.h"

namespace pawsight {
namespace {

constexpr const char* kFooter = R"(Examples:
  pawsight cost RESULT.json --instance c7i.large
  pawsight cost RESULT.json --instance c7i.large --gate gate.json --baseline baseline.json --questions 5
  pawsight cost --frames-per-s 30 --price-per-hour 0.09 --frames-per-camera-day 17280 --asked-share 0.1
  pawsight cost --list

RESULT.json is what `pawsight stress` wrote: the frames a second that one instance answers within its objective. GATE.json
is what `pawsight scenes gate --out` wrote, BASELINE.json what bench/peers/baseline.py wrote. The figures are of the
inference tier alone: no gateway, disks or traffic. Prices are public ones of a day that is named; docs/capacity.md.
Exit codes: 0 fine, 2 usage or a file's content, 3 a file cannot be read.)";

struct CostCommand {
  std::string result;
  std::string instance;
  std::string region;
  std::string pricing;
  std::string gate;
  std::string baseline;
  std::optional<double> price_per_hour;
  std::optional<double> frames_per_s;
  std::optional<int> questions;
  std::optional<double> asked_share;
  tools::CostInput input;
  bool list = false;
  bool json = false;
};

/// Of a stress test's result, what a cost follows from.
struct Measured {
  double frames_per_s = 0;
  int questions = 1;
  double answered_share = 1;  // of the check at the recommended cap
  std::optional<double> price_per_hour;
  std::string model;
  std::string what;  // "pawsight-mini on Xeon, 2 cores"
  int cores = 0;
};

Result<Measured> ReadMeasured(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const tools::StressResult result, tools::ReadResult(path));
  if (!result.recommendation)
    return InvalidArgument(
        path + ": recommendation: none; nothing was answered, or in all cells the change gate was the limit");
  Measured measured;
  measured.frames_per_s = result.recommendation->safe_per_s;
  measured.questions = result.load.questions_a_frame;
  measured.price_per_hour = result.price_per_hour;
  if (result.target.kind == "model") measured.model = result.target.name;
  measured.cores = result.machine.cores;
  measured.what = result.target.name + " on " + result.machine.processor + ", " + std::to_string(result.machine.cores) +
                  " cores, measured " + result.made_at;
  if (!result.recommendation->slo_kept) measured.what += "; no cell kept the objective";
  for (const tools::StressCell& cell : result.cells) {
    if (cell.role == tools::CellRole::kCheckCap && cell.latency.count + cell.num_failed() > 0) {
      measured.answered_share = cell.answered_share();
    }
  }
  return measured;
}

/// --pricing, $PAWSIGHT_PRICING, or beside the program as installed, as built, and where it was built.
Result<std::string> PricingPath(const CostCommand& command) {
  if (!command.pricing.empty()) return command.pricing;
  if (const char* given = std::getenv("PAWSIGHT_PRICING"); given != nullptr && *given != '\0')
    return std::string(given);
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  std::string looked;
  for (const std::filesystem::path& place :
       {program / "../share/pawsight/pricing.yaml", program / "../../packaging/pricing.yaml",
        std::filesystem::path(PAWSIGHT_SOURCE_DIR "/packaging/pricing.yaml")}) {
    const std::string path = place.lexically_normal().string();
    if (FileExists(path)) return path;
    looked += (looked.empty() ? "" : ", ") + path;
  }
  return NotFound("pricing: not at " + looked + "; name a file with --pricing, or a price with --price-per-hour");
}

/// All that the figures are of.
struct Costed {
  tools::CostInput input;
  tools::CostFigures figures;
  std::optional<tools::InstancePrice> price;
  std::optional<Measured> measured;
  std::optional<tools::Baseline> baseline;
  std::optional<tools::Saving> saving;
  std::string gate = "not gated: every frame is asked";
};

Status TakePrice(const CostCommand& command, Costed& costed) {
  if (command.price_per_hour) {
    costed.input.price_per_hour = *command.price_per_hour;
    return Ok();
  }
  if (command.instance.empty()) {
    if (!costed.measured || !costed.measured->price_per_hour) {
      return InvalidArgument("want --instance NAME or --price-per-hour X");
    }
    costed.input.price_per_hour = *costed.measured->price_per_hour;
    return Ok();
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string path, PricingPath(command));
  PAWSIGHT_ASSIGN_OR_RETURN(const tools::Pricing pricing, tools::LoadPricing(path));
  PAWSIGHT_ASSIGN_OR_RETURN(costed.price, tools::FindPrice(pricing, command.instance, command.region));
  costed.input.price_per_hour = costed.price->price_per_hour;
  return Ok();
}

Result<Costed> Compute(const CostCommand& command) {
  Costed costed;
  costed.input = command.input;
  if (!command.result.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(costed.measured, ReadMeasured(command.result));
    costed.input.frames_per_s = costed.measured->frames_per_s;
    costed.input.questions_measured = costed.measured->questions;
    costed.input.answered_share = costed.measured->answered_share;
  } else if (!command.frames_per_s) {
    return InvalidArgument("want RESULT.json, which `pawsight stress` writes, or --frames-per-s X");
  }
  if (command.frames_per_s) {
    costed.input.frames_per_s = *command.frames_per_s;
    costed.input.questions_measured = command.questions.value_or(1);
    costed.input.answered_share = 1;
    costed.measured.reset();
  }
  costed.input.questions = command.questions.value_or(costed.input.questions_measured);
  PAWSIGHT_RETURN_IF_ERROR(TakePrice(command, costed));
  if (command.asked_share) {
    costed.input.asked_share = *command.asked_share;
    costed.gate = "stated on the command line";
  } else if (!command.gate.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(costed.input.asked_share, tools::ReadAskedShare(command.gate));
    costed.gate = "measured: " + command.gate;
  }
  PAWSIGHT_ASSIGN_OR_RETURN(costed.figures, tools::ComputeCost(costed.input));
  if (!command.baseline.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(costed.baseline, tools::ReadBaseline(command.baseline));
    const std::string& model = costed.baseline->model;
    if (costed.measured && !model.empty() && !costed.measured->model.empty() && model != costed.measured->model) {
      return InvalidArgument(command.baseline + ": is of " + model + ", and " + command.result + " of " +
                             costed.measured->model);
    }
    PAWSIGHT_ASSIGN_OR_RETURN(costed.saving, tools::ComputeSaving(costed.input, *costed.baseline));
  }
  return costed;
}

Json ToJson(const Costed& costed) {
  const tools::CostInput& input = costed.input;
  Json json(Json::Object{{"format", "pawsight-cost"},
                         {"format_version", 1},
                         {"price_per_hour", input.price_per_hour},
                         {"questions", input.questions},
                         {"asked_share", input.asked_share},
                         {"answered_share", input.answered_share},
                         {"frames_per_camera_day", input.frames_per_camera_day},
                         {"cameras", input.cameras},
                         {"peak", input.peak}});
  if (costed.price) {
    json.Set("instance", Json::Object{{"name", costed.price->name},
                                      {"region", costed.price->region},
                                      {"date", costed.price->date},
                                      {"source", costed.price->source}});
  }
  if (costed.measured) json.Set("measured", costed.measured->what);
  json.Set("figures", tools::FiguresToJson(costed.figures));
  if (costed.saving) {
    json.Set("baseline", costed.baseline->what);
    json.Set("saving", tools::SavingToJson(*costed.saving));
  }
  return json;
}

void PrintRow(const char* what, const char* format, double ours, const std::optional<double>& theirs) {
  char text[2][48] = {"", ""};
  std::snprintf(text[0], sizeof text[0], format, ours);
  if (theirs) std::snprintf(text[1], sizeof text[1], format, *theirs);
  std::printf("%-44s %14s %14s\n", what, text[0], text[1]);
}

void PrintFigures(const Costed& costed) {
  const tools::CostFigures& ours = costed.figures;
  const tools::CostFigures* base = costed.saving ? &costed.saving->baseline : nullptr;
  const auto row = [&](const char* what, const char* format, auto member) {
    PrintRow(what, format, static_cast<double>(ours.*member),
             base == nullptr ? std::nullopt : std::optional<double>(static_cast<double>(base->*member)));
  };
  using Figures = tools::CostFigures;
  std::printf("%-44s %14s %14s\n", "", "pawsight", base == nullptr ? "" : "baseline");
  row("frames/s asked of one instance", "%.2f", &Figures::frames_per_s);
  row("$ per million frames offered", "%.4f", &Figures::per_million_offered);
  row("$ per million frames asked", "%.4f", &Figures::per_million_asked);
  row("$ per million frames answered", "%.4f", &Figures::per_million_answered);
  row("$ per million answers", "%.4f", &Figures::per_million_answers);
  row("$ per camera-month, instances follow the load", "%.5f", &Figures::per_camera_month);
  row("$ per camera-month, a fleet for the peak", "%.5f", &Figures::per_camera_month_peak);
  row("frames/s asked by the fleet, mean", "%.1f", &Figures::fleet_per_s);
  row("instances, mean hour", "%.0f", &Figures::instances_mean);
  row("instances, busiest hour", "%.0f", &Figures::instances_peak);
}

void PrintNotes(const Costed& costed) {
  if (costed.figures.scaled) {
    std::printf("estimate: measured with %d questions a frame, scaled to %d by their arithmetic\n",
                costed.input.questions_measured, costed.input.questions);
  }
  if (costed.price && costed.measured && costed.price->vcpus != costed.measured->cores) {
    std::printf("mind: %s has %d vCPUs, the measurement was made on %d cores\n", costed.price->name.c_str(),
                costed.price->vcpus, costed.measured->cores);
  }
  if (!costed.saving) return;
  const tools::Saving& saving = *costed.saving;
  std::printf("saving: %.1f times = engine %.2f x shared encoding %.2f x gating %.2f\n", saving.whole, saving.engine,
              saving.sharing, saving.gating);
  if (saving.same_precision) {
    const std::string& ours = costed.baseline->ours_precision;
    std::printf("  engine: %.2f times = same precision (%s) %.2f x precision (%s over %s) %.2f\n", saving.engine,
                costed.baseline->same->precision.c_str(), *saving.same_precision, ours.empty() ? "ours" : ours.c_str(),
                costed.baseline->same->precision.c_str(), *saving.precision);
  }
  std::printf("baseline: %s, every frame asked, with the same headroom; measured on %s, %s\n",
              costed.baseline->what.c_str(), costed.baseline->machine.c_str(), costed.baseline->made_at.c_str());
}

void Print(const Costed& costed) {
  const tools::CostInput& input = costed.input;
  if (costed.price) {
    std::printf("%s: $%g an hour on demand in %s, as of %s\n", costed.price->name.c_str(), input.price_per_hour,
                costed.price->region.c_str(), costed.price->date.c_str());
  } else {
    std::printf("an instance: $%g an hour\n", input.price_per_hour);
  }
  if (costed.measured) std::printf("capacity: %s\n", costed.measured->what.c_str());
  std::printf(
      "%.0f cameras, %.0f frames a day each, %.2f %% asked (%s), %d questions a frame, peak %.1f times the mean\n\n",
      input.cameras, input.frames_per_camera_day, 100 * input.asked_share, costed.gate.c_str(), input.questions,
      input.peak);
  PrintFigures(costed);
  std::printf("\n");
  PrintNotes(costed);
}

int PrintList(const CostCommand& command) {
  const Result<std::string> path = PricingPath(command);
  if (!path.ok()) return ReportError(path.status());
  const Result<tools::Pricing> pricing = tools::LoadPricing(*path);
  if (!pricing.ok()) return ReportError(pricing.status());
  std::printf("%-14s %-12s %10s %6s %8s  %-20s %s\n", "instance", "region", "$/hour", "vCPUs", "GiB", "accelerator",
              "as of");
  for (const tools::InstancePrice& price : pricing->instances) {
    const std::string accelerator =
        price.accelerators == 0 ? "" : std::to_string(price.accelerators) + " x " + price.accelerator;
    std::printf("%-14s %-12s %10.5g %6d %8g  %-20s %s\n", price.name.c_str(), price.region.c_str(),
                price.price_per_hour, price.vcpus, price.memory_gib, accelerator.c_str(), price.date.c_str());
  }
  return kExitOk;
}

int RunCost(const CostCommand& command) {
  if (command.list) return PrintList(command);
  const Result<Costed> costed = Compute(command);
  if (!costed.ok()) return ReportError(costed.status());
  if (command.json) {
    std::printf("%s\n", ToJson(*costed).Dump().c_str());
  } else {
    Print(*costed);
  }
  return kExitOk;
}

}  // namespace

void AddCostCommand(CLI::App& program, int* exit_code) {
  auto* cost = program.add_subcommand("cost", "what a frame, an answer and a camera cost");
  cost->footer(kFooter);
  auto command = std::make_shared<CostCommand>();
  tools::CostInput& input = command->input;
  cost->add_option("result", command->result, "RESULT.json of `pawsight stress`");
  cost->add_option("--frames-per-s", command->frames_per_s, "instead: frames a second that one instance answers");
  auto* instance = cost->add_option("--instance", command->instance, "an instance of the price list; --list has them");
  cost->add_option("--region", command->region, "of the price list [the first that has it]");
  cost->add_option("--price-per-hour", command->price_per_hour, "instead: $ of an instance's hour")->excludes(instance);
  cost->add_option("--pricing", command->pricing, "another price list [$PAWSIGHT_PRICING, or the one that ships]");
  cost->add_option("--frames-per-camera-day", input.frames_per_camera_day, "frames that a camera offers a day")
      ->capture_default_str();
  cost->add_option("--questions", command->questions, "of a frame [as measured, else 1]");
  auto* share = cost->add_option("--asked-share", command->asked_share, "of offered frames that are asked, 0..1 [1]");
  cost->add_option("--gate", command->gate, "GATE.json of `pawsight scenes gate`, for that share")->excludes(share);
  cost->add_option("--cameras", input.cameras, "of the fleet")->capture_default_str();
  cost->add_option("--peak", input.peak, "the busiest hour's frames over the mean hour's")->capture_default_str();
  cost->add_option("--baseline", command->baseline, "BASELINE.json of bench/peers/baseline.py, to compare with");
  cost->add_flag("--list", command->list, "print the price list");
  cost->add_flag("--json", command->json, "print JSON");
  cost->callback([command, exit_code] { *exit_code = RunCost(*command); });
}

}  // namespace pawsight
