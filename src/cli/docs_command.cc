#include "cli/docs_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/settings.h"

namespace cli {
namespace {

constexpr std::string_view kHead = R"(# The command line

Every command with its flags, as `cluster-proxy help COMMAND` has it. `scripts/cli-docs` writes this page from the program's
own table of commands; `make client` fails when it is not current.

## Settings

Flags of the client, certificate and kubeconfig commands also come from the environment and from a YAML file, which is that of `--config`
or `CLUSTER_PROXY_CONFIG`, else `$XDG_CONFIG_HOME/cluster-proxy/config.yaml` (`~/.config` when that is not set) where there is one:

```yaml
server: hub.example.com:8090        # for every command that has this flag
ca-cert: /etc/cluster-proxy/ca.crt
client-cert: /etc/cluster-proxy/alice.crt
client-key: /etc/cluster-proxy/alice.key
proxy:                              # for this command only
  http: 8118
kubeconfig:
  proxy-url: http://127.0.0.1:8118
pki:                                # for init, issue, show and renew
  dir: /etc/cluster-proxy/pki
  days: 90
```

What is nearer wins: the command line over the environment, the environment over the file; in each of those, what is said for one command
over what is said for all. In the environment `--http` of `proxy` is `CLUSTER_PROXY_PROXY_HTTP`, or `CLUSTER_PROXY_HTTP`; an empty variable
is none. A list is a YAML list, or one text with commas; a switch is `true` or `false`. Give whole paths of files: nothing expands `~`, and
others count from the folder in which the command is run.

| flags | for all commands: `CLUSTER_PROXY_FLAG`, top of the file | for one: `CLUSTER_PROXY_COMMAND_FLAG`, under its name |
| --- | --- | --- |
| of `dial`, `forward`, `proxy`, `bench`, `status`, `top`, `doctor` | yes | yes |
| of `kubeconfig` and `pki`, whose names mean something else: `--tls-server-name` is that of the API server | no | yes |
| of `pki`: `--name`, `--organization`, `--all`. Who a certificate is for, and what is replaced, is said where it is done | no | no |
| of `server`, `agent`, `manager`, `addon-agent`: as in the programs that they replace | no | no |

A key that no command has is an error with its line. `--credentials` of `proxy` is the one secret among them: on the command line other
users of the machine see it, so keep it in a file that is yours alone, or in the environment. Keys and tokens are always named by their files.
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
