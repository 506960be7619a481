// apps/model_evaluate.h: a model asked sets of questions with known answers, and what came of it as tables, JSON lines
// and a page. What `pawsight model score` does once a set is named, and the first half of `pawsight model calibrate`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/open_model.h"
#include "evaluate/observe.h"
#include "evaluate/question_set.h"

namespace CLI {
class App;
}

namespace pawsight {

/// The sets named on the command line.
struct SetOptions {
  int drawn = 0;       // scenes; 0 is none
  std::string pack;    // a directory; "" is none
  std::string photos;  // a labels file; "" is none
};

struct EvaluateOptions {
  SetOptions sets;
  evaluate::DrawnOptions drawing;  // its number of scenes is sets.drawn
  std::string unknown;             // a text file of questions; "" is none
  int unknown_pictures = 24;
  std::string report;   // an HTML file to write; "" is none
  double at_least = 0;  // percent right of all known answers, else exit 1
  bool json = false;

  bool AnySet() const { return sets.drawn > 0 || !sets.pack.empty() || !sets.photos.empty() || !unknown.empty(); }
};

/// Adds --drawn and --pack to a command.
void AddSetOptions(CLI::App& command, SetOptions* sets);

/// In the order drawn, pack, photos. Errors: those of evaluate::OpenPackSet and OpenPhotoSet.
Result<std::vector<std::unique_ptr<evaluate::QuestionSet>>> OpenSets(const SetOptions& sets,
                                                                     evaluate::DrawnOptions drawing);

/// Asks, with progress on standard error.
Result<evaluate::Observed> ObserveSet(const engine::Vqa& vqa, const evaluate::QuestionSet& set, int thumbnail_side);

/// The exit code.
int RunEvaluation(const ModelOptions& model, const EvaluateOptions& options);

}  // namespace pawsight
