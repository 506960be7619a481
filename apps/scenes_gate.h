// apps/scenes_gate.h: `pawsight scenes gate`: what the change gate saves, and what it costs in alerts. Here and not in
// a benchmark because whoever runs cameras wants the same numbers of their own recordings, and `pawsight cost` reads
// them.
#pragma once

namespace CLI {
class App;
}

namespace pawsight {

void AddScenesGateCommand(CLI::App& scenes, int* exit_code);

}  // namespace pawsight
