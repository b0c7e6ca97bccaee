#include "cli/help_command.h"

#include <fmt/format.h>

namespace cli {
namespace {

class Help : public Action {
 public:
  FlagSet& flags() override { return flags_; }

  base::Result<void> prepare(const Invocation& invocation) override {
    explained_ = &invocation.root;
    name_ = invocation.root.name;
    for (const std::string& word : invocation.arguments) {
      const Command* next = explained_->find(word);
      if (next == nullptr) {
        const std::string_view close = explained_->closest_to(word);
        const std::string hint = close.empty() ? "" : fmt::format("; did you mean {}?", close);
        return base::fail(base::Code::not_found,
                          fmt::format("unknown command \"{}\" for \"{}\"{}", word, name_, hint));
      }
      explained_ = next;
      name_ += " " + explained_->name;
    }
    return {};
  }

  base::Result<int> run(const Invocation& invocation) override {
    invocation.console.out(help_text(*explained_, name_));
    return 0;
  }

 private:
  FlagSet flags_;
  const Command* explained_ = nullptr;
  std::string name_;
};

}  // namespace

Command help_command() {
  return {.name = "help",
          .group = "Other Commands",
          .summary = "Explain a command",
          .usage = "[COMMAND...]",
          .text = "Prints what a command does, with its flags; without a command, which there are.",
          .about_commands = true,
          .make = [] { return std::make_unique<Help>(); }};
}

}  // namespace cli
