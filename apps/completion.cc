// apps/completion.cc: `pawsight completion bash|zsh`: a completion script, written from the commands as they are.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "apps/commands.h"

namespace pawsight {
namespace {

/// The flags and sub-commands of one command, separated by spaces.
std::string Words(const CLI::App& command) {
  std::string words;
  for (const CLI::App* sub : command.get_subcommands({})) words += sub->get_name() + " ";
  for (const CLI::Option* option : command.get_options({})) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
    for (const std::string& name : option->get_snames()) words += "-" + name + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

/// One `case` arm a command: "model check" is the path of words that chose it.
void AppendCases(const CLI::App& command, const std::string& path, std::string* script) {
  *script += "    \"" + path + "\") words=\"" + Words(command) + "\" ;;\n";
  for (const CLI::App* sub : command.get_subcommands({})) {
    AppendCases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), script);
  }
}

/// The same function serves both shells; zsh runs it through bashcompinit.
std::string Script(const CLI::App& program, bool zsh) {
  std::string script = "# Completion for pawsight. ";
  script += zsh ? "Install: pawsight completion zsh > ~/.zsh/_pawsight.zsh and source it from ~/.zshrc.\n"
                  "autoload -U +X bashcompinit && bashcompinit\n"
                : "Install: pawsight completion bash > ~/.local/share/bash-completion/completions/pawsight\n";
  script += R"(_pawsight() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) break ;;
    esac
    path="${path:+$path }$word"
    case "$path" in
)";
  std::string known;
  std::string cases;
  AppendCases(program, "", &cases);
  for (const CLI::App* sub : program.get_subcommands({})) {
    known += (known.empty() ? "" : "|") + std::string("\"") + sub->get_name() + "\"";
    for (const CLI::App* deep : sub->get_subcommands({})) known += "|\"" + sub->get_name() + " " + deep->get_name() + "\"";
  }
  script += "      " + known + ") ;;\n      *) path=\"${path% *}\"; break ;;\n    esac\n  done\n  case \"$path\" in\n" + cases;
  script += R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _pawsight pawsight
)";
  return script;
}

}  // namespace

void AddCompletionCommand(CLI::App& program, int* exit_code) {
  CLI::App& completion = *program.add_subcommand("completion", "print a shell completion script");
  completion.footer("Example:\n  pawsight completion bash > ~/.local/share/bash-completion/completions/pawsight");
  auto shell = std::make_shared<std::string>();
  completion.add_option("shell", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  completion.callback([shell, &program, exit_code] {
    std::fputs(Script(program, *shell == "zsh").c_str(), stdout);
    *exit_code = kExitOk;
  });
}

}  // namespace pawsight
