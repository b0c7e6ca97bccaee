#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/clock.h"
#include "base/result.h"

namespace cli {

/// Which settings a flag follows when the command line leaves it out; see settings.h.
enum class FlagReach {
  all,      // those for every command that has such a flag, and those for its own
  command,  // those for its own command: in others the name means something else
  once,     // none: it is about one call
};

/// One line of a program's flag table.
struct Flag {
  std::string name;
  std::string type;      // shown in help: "string", "int"; empty for a switch
  std::string fallback;  // the default as text, in the form that the flag itself accepts
  std::string usage;
  std::string section;
  std::string deprecated;                 // not empty: accepted, hidden, and this note is printed
  std::vector<std::string> choices = {};  // the only values there are; empty: any
  FlagReach reach = FlagReach::all;
  char shorthand = 0;
  bool hidden = false;
  bool is_switch = false;  // "--name" alone means true
  bool changed = false;    // it stood on the command line
  std::string last;        // the text it was given last
  std::string rival;       // the flag that says the same in another way
  std::function<base::Result<void>(std::string_view)> set;
};

/// How a command line is written; manifests rely on it.
enum class FlagSyntax {
  /// konnectivity's programs: "--name value", "--name=value", switches "--name" or "--name=false",
  /// "-v 4", "-v=4", "-v4", "--" ends the flags, other arguments may stand among them. Names are
  /// exact: an underscore is not a dash.
  pflag,
  /// Go's own flag package, as the add-on's programs have it: "-name" is "--name", switches take a
  /// value by "=" only, and the first argument that is no flag ends the flags, as "--" does.
  /// Underscores are dashes, so that klog's names are known in both spellings.
  go,
};

/// A program's flags. A repeated flag overrides; a repeated list appends. The table is the one
/// source of parsing, help and listing. Targets must outlive the FlagSet.
class FlagSet {
 public:
  explicit FlagSet(FlagSyntax syntax = FlagSyntax::pflag) : syntax_(syntax) {}

  FlagSyntax syntax() const { return syntax_; }

  /// What parse() found beside the values.
  struct Parsed {
    bool help = false;
    std::vector<std::string> arguments;  // that belong to no flag
    std::vector<std::string> notices;    // lines for standard error: deprecated flags
  };

  /// Flags added from here on stand under this heading in the help.
  void section(std::string title) { section_ = std::move(title); }
  /// Flags added from here on follow these settings; before, all.
  void reach(FlagReach reach) { reach_ = reach; }

  Flag& add_string(std::string name, std::string& target, std::string usage);
  /// One of `choices`.
  Flag& add_choice(std::string name, std::string& target, std::vector<std::string> choices,
                   std::string usage);
  Flag& add_list(std::string name, std::vector<std::string>& target, std::string usage);
  /// A list of which each appearance of the flag gives one item, commas and all.
  Flag& add_array(std::string name, std::vector<std::string>& target, std::string usage);
  Flag& add_switch(std::string name, bool& target, std::string usage);
  Flag& add_int(std::string name, std::int64_t& target, std::string usage);
  Flag& add_uint(std::string name, std::uint64_t& target, std::string usage);
  Flag& add_float(std::string name, double& target, std::string usage);
  Flag& add_duration(std::string name, async::Duration& target, std::string usage);
  Flag& add_bytes(std::string name, std::size_t& target, std::string usage);
  Flag& add(Flag flag);
  void set_shorthand(Flag& flag, char letter);
  /// Two ways to say one thing: who sets one of them wants none of the other.
  void set_rivals(std::string_view one, std::string_view other);

  /// Sets the targets. Errors have the texts of pflag, `invalid argument "x" for "--port" flag:
  /// ...` and `unknown flag: --x`, or of Go's flag, `invalid value "x" for flag -port: ...` and
  /// `flag provided but not defined: -x`.
  base::Result<Parsed> parse(std::span<const std::string> arguments);

  /// Sets one flag, as if it stood on the command line. The error has the reason alone.
  base::Result<void> set(std::string_view name, std::string_view text);

  /// The sections with their flags, one screen column wide.
  std::string help() const;
  /// "--mode=http-connect --server-port=0": what stood on the command line, for a log.
  std::string listing() const;
  bool changed(std::string_view name) const;
  /// Flags of which neither they nor their rival was set.
  std::vector<std::string> undecided() const;
  const std::map<std::string, Flag, std::less<>>& flags() const { return flags_; }

 private:
  class Parser;
  class GoParser;

  /// The flag most likely meant by `name`, as " did you mean --x?" after a semicolon, or "".
  std::string hint(std::string_view name) const;

  FlagSyntax syntax_;
  std::string section_;
  FlagReach reach_ = FlagReach::all;
  std::vector<std::string> sections_;  // in order of appearance
  std::map<std::string, Flag, std::less<>> flags_;
  std::map<char, Flag*> shorthands_;
};

/// The items of a comma-separated list as pflag's StringSlice reads them: one line of CSV, quotes
/// allowed.
base::Result<std::vector<std::string>> parse_list(std::string_view text);

}  // namespace cli
