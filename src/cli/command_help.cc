#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/settings.h"

namespace cli {
namespace {

constexpr std::size_t kWidth = 110;  // columns

std::string wrapped_line(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out(indent, ' ');
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (column > indent && column + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// The groups of the commands below `command`, each once, in the order of the table.
std::vector<std::string> groups_of(const Command& command) {
  std::vector<std::string> groups;
  for (const Command& each : command.commands) {
    if (!each.hidden && std::ranges::count(groups, each.group) == 0) groups.push_back(each.group);
  }
  return groups;
}

std::size_t longest_name(const Command& command) {
  std::size_t longest = 0;
  for (const Command& each : command.commands) {
    if (!each.hidden) longest = std::max(longest, each.name.size());
  }
  return longest;
}

std::string command_list(const Command& command) {
  std::string text;
  const std::size_t column = longest_name(command);
  for (const std::string& group : groups_of(command)) {
    text += fmt::format("\n{}:\n", group.empty() ? "Commands" : group);
    for (const Command& each : command.commands) {
      if (each.hidden || each.group != group) continue;
      text += fmt::format("  {:<{}}  {}\n", each.name, column, each.summary);
    }
  }
  return text;
}

std::string examples_of(const Command& command) {
  if (command.examples.empty()) return "";
  std::string text = "\nExamples:\n";
  for (const Example& example : command.examples) {
    if (&example != &command.examples.front()) text += '\n';
    text += fmt::format("  # {}\n", example.about);
    std::string_view rest = example.line;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      text += fmt::format("  {}\n", rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return text;
}

std::string words_of(const Command& command) {
  std::string text;
  // Names of flags, as "--version", are no names to show.
  std::vector<std::string_view> shown;
  for (const std::string& alias : command.aliases) {
    if (!alias.starts_with('-')) shown.push_back(alias);
  }
  if (!shown.empty()) text += fmt::format("\nAliases:\n  {}\n", fmt::join(shown, ", "));
  return text;
}

std::string leaf_help(const Command& command, std::string_view name) {
  const std::unique_ptr<Action> action = command.make();
  FlagSet& flags = action->flags();
  const Settings settings(command, flags);
  const std::string arguments = command.usage.empty() ? "" : command.usage + " ";
  return fmt::format("\nUsage:\n  {} {}[flags]\n{}{}{}{}", name, arguments, words_of(command),
                     examples_of(command), flags.help(), settings.help());
}

}  // namespace

std::string wrapped_text(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool as_it_is = line.empty() || line.starts_with(' ');
    out += as_it_is ? std::string(line) : wrapped_line(line, indent, width);
    out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string help_text(const Command& command, std::string_view name) {
  std::string text = wrapped_text(command.text, 0, kWidth);
  if (command.commands.empty()) return text + leaf_help(command, name);
  text += command_list(command);
  text += fmt::format("\nUsage:\n  {} COMMAND [flags]\n{}", name, words_of(command));
  return text + examples_of(command) +
         fmt::format("\nUse \"{} COMMAND --help\" for the flags of a command.\n", name);
}

}  // namespace cli
