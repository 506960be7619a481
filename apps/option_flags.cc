#include "apps/option_flags.h"

#include <CLI/CLI.hpp>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace pawsight {

void AddOptionFlags(CLI::App& command, OptionTable& table, OptionFlags* flags) {
  command.add_option("--config", flags->config, "YAML file with any of the settings below, as max-batch: 8");
  command.add_flag("--check-config", flags->check, "only say whether the settings are right");
  command.add_flag("--print-config", flags->print, "print the settings in effect and where each is from");
  for (const OptionTable::Entry& entry : table.entries()) {
    const std::string help = entry.help + (entry.default_value.empty() ? "" : " [" + entry.default_value + "]");
    const auto keep = [flags, name = entry.name](const std::string& text) { flags->given.emplace_back(name, text); };
    if (entry.is_bool) {
      command.add_flag_function(
          "--" + entry.name + ",!--no-" + entry.name,
          [flags, name = entry.name](int64_t count) { flags->given.emplace_back(name, count > 0 ? "true" : "false"); },
          help);
    } else {
      command.add_option_function<std::string>("--" + entry.name, keep, help)->type_name("");
    }
  }
}

Status ApplyOptions(const OptionFlags& flags, std::string_view prefix, OptionTable* table) {
  if (!flags.config.empty()) PAWSIGHT_RETURN_IF_ERROR(table->ReadFile(flags.config));
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  PAWSIGHT_RETURN_IF_ERROR(table->ReadEnvironment(prefix, variables));
  for (const auto& [name, text] : flags.given) PAWSIGHT_RETURN_IF_ERROR(table->Set(name, text, "--" + name));
  return Ok();
}

}  // namespace pawsight
