#include "cli/command.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/settings.h"
#include "cli/suggest.h"

namespace cli {
namespace {

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool asks_help(std::string_view word) { return word == "--help" || word == "-h"; }

int fail_usage(const Command& command, const Invocation& invocation, const base::Error& error) {
  const std::string arguments = command.usage.empty() ? "" : command.usage + " ";
  invocation.console.error(
      fmt::format("Error: {0}\n\nUsage:\n  {1} {2}[flags]\n\nRun \"{1} --help\" for all flags.\n",
                  error.message, invocation.name, arguments));
  return 1;
}

/// The exit code of a command that ended so. A reader that has gone is told of nothing.
int conclude(const Console& console, base::Result<int> code) {
  if (auto written = check_output(console); !written) {
    if (written.error().is(base::Code::closed)) return 1;
    if (code) code = base::fail(std::move(written).error());
  }
  if (code) return *code;
  console.error(fmt::format("Error: {}\n", code.error().message));
  return 1;
}

int show_help(const Command& command, const Invocation& invocation) {
  invocation.console.out(help_text(command, invocation.name));
  return conclude(invocation.console, 0);
}

/// Sets the flags of `action` from wherever they come. True: help is wanted instead.
base::Result<bool> set_flags(Action& action, Settings& settings, Invocation& invocation,
                             std::span<const std::string> arguments) {
  TRY(FlagSet::Parsed parsed, action.flags().parse(arguments));
  if (parsed.help) return true;
  for (const std::string& notice : parsed.notices) invocation.console.error(notice + "\n");
  invocation.arguments = std::move(parsed.arguments);
  TRY_VOID(settings.apply(invocation.root, invocation.console));
  return false;
}

int run_leaf(const Command& command, Invocation invocation,
             std::span<const std::string> arguments) {
  const std::unique_ptr<Action> action = command.make();
  Settings settings(command, action->flags());
  auto help = set_flags(*action, settings, invocation, arguments);
  if (!help) {
    const int code = fail_usage(command, invocation, help.error());
    return action->flags().syntax() == FlagSyntax::go ? 2 : code;
  }
  if (*help) return show_help(command, invocation);
  if (auto ready = action->prepare(invocation); !ready)
    return fail_usage(command, invocation, ready.error());
  return conclude(invocation.console, action->run(invocation));
}

int unknown_command(const Command& command, const Invocation& invocation, std::string_view word) {
  const std::string_view close = command.closest_to(word);
  const std::string hint = close.empty() ? "" : fmt::format("\nDid you mean this?\n  {}\n", close);
  const std::string_view kind = word.starts_with('-') ? "flag" : "command";
  invocation.console.error(
      fmt::format("Error: unknown {0} \"{1}\" for \"{2}\"\n{3}\nRun \"{2} --help\" for what "
                  "there is.\n",
                  kind, word, invocation.name, hint));
  return 1;
}

int run_named(const Command& command, Invocation invocation,
              std::span<const std::string> arguments) {
  if (command.make) return run_leaf(command, std::move(invocation), arguments);
  if (arguments.empty() || asks_help(arguments.front())) return show_help(command, invocation);
  const Command* next = command.find(arguments.front());
  if (next == nullptr) return unknown_command(command, invocation, arguments.front());
  invocation.name += " " + next->name;
  return run_named(*next, std::move(invocation), arguments.subspan(1));
}

}  // namespace

bool Command::answers_to(std::string_view word) const {
  return name == word || std::ranges::count(aliases, word) > 0;
}

const Command* Command::find(std::string_view word) const {
  const auto place =
      std::ranges::find_if(commands, [&](const Command& each) { return each.answers_to(word); });
  return place == commands.end() ? nullptr : &*place;
}

std::string_view Command::closest_to(std::string_view word) const {
  std::vector<std::string_view> known;
  for (const Command& each : commands) {
    if (each.hidden) continue;
    known.push_back(each.name);
    known.insert(known.end(), each.aliases.begin(), each.aliases.end());
  }
  return closest(word, known);
}

int run_command(const Command& root, std::span<const std::string> command_line,
                const Console& console) {
  const std::string called(command_line.empty() ? std::string_view()
                                                : base_name(command_line.front()));
  const auto arguments = command_line.subspan(command_line.empty() ? 0 : 1);
  for (const Command& each : root.commands) {
    if (std::ranges::count(each.program_names, called) == 0) continue;
    return run_named(each, {.console = console, .root = root, .name = called}, arguments);
  }
  return run_named(root, {.console = console, .root = root, .name = root.name}, arguments);
}

}  // namespace cli
