#include "cli/docs_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/settings.h"

namespace cli {
namespace {

constexpr std::string_view kHead = R"(# The command line

Every command with its flags, as `cluster-proxy help COMMAND` has it. `scripts/cli-docs` writes this page from the program's
own table of commands; `make client` fails when it is not current.
)";

std::string code(std::string_view text) {
  while (text.starts_with('\n')) text.remove_prefix(1);
  return fmt::format("\n```text\n{}```\n", text);
}

std::string examples(const Command& command) {
  std::string text;
  for (const Example& example : command.examples)
    text += fmt::format("\n{}:\n\n```sh\n{}\n```\n", example.about, example.line);
  return text;
}

std::string flags(const Command& command) {
  const std::unique_ptr<Action> action = command.make();
  const Settings settings(command, action->flags());
  const std::string help = action->flags().help();
  return (help.empty() ? "" : code(help)) + settings.help();
}

std::string list(const Command& command, const std::string& name) {
  std::string text = "\n| command | does |\n| --- | --- |\n";
  for (const Command& each : command.commands) {
    if (each.hidden) continue;
    const std::string full = name + " " + each.name;
    std::string anchor = full;
    for (char& c : anchor) c = c == ' ' ? '-' : c;
    text += fmt::format("| [`{}`](#{}) | {} |\n", full, anchor, each.summary);
  }
  return text;
}

std::string chapter(const Command& command, const std::string& name) {
  if (command.hidden) return "";
  std::string text = fmt::format("\n## {}\n\n{}", name, command.text);
  if (!text.ends_with('\n')) text += '\n';
  if (!command.commands.empty()) {
    text += list(command, name) + examples(command);
    for (const Command& each : command.commands) text += chapter(each, name + " " + each.name);
    return text;
  }
  const std::string arguments = command.usage.empty() ? "" : command.usage + " ";
  text += code(fmt::format("{} {}[flags]\n", name, arguments));
  if (!command.aliases.empty())
    text += fmt::format("\nAlso: `{}`.\n", fmt::join(command.aliases, "`, `"));
  return text + examples(command) + flags(command);
}

class DocsAction : public Action {
 public:
  FlagSet& flags() override { return flags_; }
  base::Result<void> prepare(const Invocation&) override { return {}; }
  base::Result<int> run(const Invocation& invocation) override {
    invocation.console.out(kHead);
    invocation.console.out(chapter(invocation.root, invocation.root.name));
    return 0;
  }

 private:
  FlagSet flags_;
};

}  // namespace

Command docs_command() {
  return {.name = "__docs", .text = "Prints docs/cli.md.", .hidden = true, .make = [] {
            return std::make_unique<DocsAction>();
          }};
}

}  // namespace cli
