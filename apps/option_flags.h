// apps/option_flags.h: the settings of base/options.h as a command's flags, with --config, --check-config and
// --print-config.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/options.h"

namespace CLI {
class App;
}

namespace pawsight {

/// What the command line said, until the file and the environment have been read. Must outlive the parse.
struct OptionFlags {
  std::string config;
  bool check = false;
  bool print = false;
  std::vector<std::pair<std::string, std::string>> given;  // setting, text
};

/// A flag --NAME for every setting of `table`, and the three above. Neither table nor `flags` is copied.
void AddOptionFlags(CLI::App& command, OptionTable& table, OptionFlags* flags);

/// The file of --config, then the variables of the environment that begin with `prefix`, then the flags.
/// Errors: those of OptionTable.
Status ApplyOptions(const OptionFlags& flags, std::string_view prefix, OptionTable* table);

}  // namespace pawsight
