// apps/model_score.h: `pawsight model score`: how often a model is right about scenes and pictures it has not seen.
#pragma once

namespace CLI {
class App;
}

namespace pawsight {

/// Adds `score` to `pawsight model`.
void AddModelScore(CLI::App& model, int* exit_code);

}  // namespace pawsight
