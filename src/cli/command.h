#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/console.h"
#include "cli/flag_set.h"

namespace cli {

struct Command;

/// What a command is run with.
struct Invocation {
  const Console& console;
  const Command& root;                 // the table, for commands about commands
  std::string name;                    // as typed: "cluster-proxy dial", "proxy-server"
  std::vector<std::string> arguments;  // that belong to no flag
};

/// One use of a command: its flags, and the work that they describe.
///
/// Flow: flags() are set, then prepare(), then run(); each once.
class Action {
 public:
  virtual ~Action() = default;

  virtual FlagSet& flags() = 0;
  /// Checks flags and arguments before anything happens. An error is shown with the usage.
  virtual base::Result<void> prepare(const Invocation& invocation) = 0;
  /// Returns the exit code; an error is shown as it is, and makes it 1.
  virtual base::Result<int> run(const Invocation& invocation) = 0;
};

/// A line for a shell, and what it does.
struct Example {
  std::string about;  // without a full stop
  std::string line;   // may have several lines
};

/// One line of the table of commands, which is the one source of parsing, help, completion and
/// documentation. It has `make`, or `commands`.
struct Command {
  std::string name;
  std::vector<std::string> aliases = {};
  std::vector<std::string> program_names = {};  // the program behaves so when called by such a name
  std::string group = {};                       // heading in the list of commands
  std::string summary = {};                     // one line without a full stop
  std::string usage = {};                       // the arguments on the usage line, "HOST:PORT"
  std::string text = {};  // paragraphs; broken to the screen's width unless they are indented
  std::vector<Example> examples = {};
  std::vector<std::string> choices = {};  // what the first argument may be, for completion
  bool about_commands = false;            // its arguments are names of commands
  bool hidden = false;                    // works, but stands in no list
  std::string settings = {};  // section of the settings that its flags follow, or ""; settings.h
  std::function<std::unique_ptr<Action>()> make = {};
  std::vector<Command> commands = {};

  bool answers_to(std::string_view word) const;
  /// The command of that name or alias below this one, or null.
  const Command* find(std::string_view word) const;
  /// The name or alias below this one that `word` most likely meant, or "".
  std::string_view closest_to(std::string_view word) const;
};

/// Runs `root` or what it is asked for: by the name we were called by, else by the first arguments.
/// Returns the exit code: 0 for help and success; 1 for whatever is not understood or fails, as
/// kubectl has it; of programs with Go's flag syntax 2 for a flag that is not understood.
int run_command(const Command& root, std::span<const std::string> command_line,
                const Console& console);

/// What `COMMAND --help` prints. `name` is what was typed to get to the command.
std::string help_text(const Command& command, std::string_view name);

/// Text broken between words to lines of at most `width` columns, each after `indent` spaces; lines
/// that begin with a space stay as they are.
std::string wrapped_text(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace cli
