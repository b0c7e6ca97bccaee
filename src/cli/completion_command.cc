#include "cli/completion_command.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/complete.h"

namespace cli {
namespace {

constexpr std::string_view kBash = R"(# bash completion for cluster-proxy
_cluster_proxy() {
  local line=${COMP_LINE:0:COMP_POINT} candidate rest before=
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  COMPREPLY=()
  # bash itself keeps what stands before an equals sign.
  [[ ${words[-1]} == -*=* && $COMP_WORDBREAKS == *=* ]] && before=${words[-1]%%=*}=
  while IFS=$'\t' read -r candidate rest; do
    if [[ $candidate == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("${candidate#"$before"}")
    fi
  done < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _cluster_proxy cluster-proxy
)";

constexpr std::string_view kZsh = R"(#compdef cluster-proxy
# zsh completion for cluster-proxy
_cluster_proxy() {
  local line candidate about
  local -a found
  while IFS=$'\t' read -r candidate about; do
    if [[ $candidate == :files ]]; then
      _files
    elif [[ -n $candidate ]]; then
      found+=("${candidate//:/\\:}:$about")
    fi
  done < <("${(Q)words[1]}" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe -t candidates cluster-proxy found
}
if [[ $funcstack[1] == _cluster_proxy ]]; then
  _cluster_proxy "$@"
else
  compdef _cluster_proxy cluster-proxy
fi
)";

constexpr std::string_view kFish = R"(# fish completion for cluster-proxy
function __cluster_proxy_complete
  set -l words (commandline --tokenize --current-process --cut-at-cursor)
  set -l current (commandline --current-token --cut-at-cursor)
  for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete --command cluster-proxy --no-files --arguments '(__cluster_proxy_complete)'
)";

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kScripts = {
    {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}}};

class ScriptAction : public Action {
 public:
  FlagSet& flags() override { return flags_; }

  base::Result<void> prepare(const Invocation& invocation) override {
    const auto& arguments = invocation.arguments;
    const auto known = std::ranges::find_if(kScripts, [&](const auto& script) {
      return arguments.size() == 1 && script.first == arguments.front();
    });
    if (known == kScripts.end())
      return base::fail(base::Code::invalid, "want one shell: bash, zsh or fish");
    script_ = known->second;
    return {};
  }

  base::Result<int> run(const Invocation& invocation) override {
    invocation.console.out(script_);
    return 0;
  }

 private:
  FlagSet flags_;
  std::string_view script_;
};

class CompleteAction : public Action {
 public:
  FlagSet& flags() override { return flags_; }
  base::Result<void> prepare(const Invocation&) override { return {}; }
  base::Result<int> run(const Invocation& invocation) override {
    const Completion found = complete(invocation.root, invocation.arguments);
    for (const auto& [word, about] : found.candidates)
      invocation.console.out(fmt::format("{}\t{}\n", word, about));
    if (found.files) invocation.console.out(":files\n");
    return 0;
  }

 private:
  FlagSet flags_;
};

}  // namespace

Command completion_command() {
  return {.name = "completion",
          .group = "Other Commands",
          .summary = "Print a script by which a shell completes this program's command lines",
          .usage = "bash|zsh|fish",
          .text =
              "Prints a script for a shell. It asks this program for what may follow, so it "
              "need not be renewed with it.",
          .examples = {{"bash, now and in the future",
                        "source <(cluster-proxy completion bash)\n"
                        "cluster-proxy completion bash > /etc/bash_completion.d/cluster-proxy"},
                       {"zsh, for good",
                        "cluster-proxy completion zsh > \"${fpath[1]}/_cluster-proxy\""},
                       {"fish, for good",
                        "cluster-proxy completion fish > "
                        "~/.config/fish/completions/cluster-proxy.fish"}},
          .choices = {"bash", "zsh", "fish"},
          .make = [] { return std::make_unique<ScriptAction>(); }};
}

Command complete_command() {
  return {.name = "__complete",
          .usage = "-- WORD...",
          .text =
              "Prints what the last word may become, a line each, with an explanation after a "
              "tab.",
          .hidden = true,
          .make = [] { return std::make_unique<CompleteAction>(); }};
}

}  // namespace cli
