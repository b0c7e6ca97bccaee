#include "cli/version_command.h"

#include <fmt/format.h>

#include "cli/version.h"
#include "net/tls.h"

namespace cli {
namespace {

class Version : public Action {
 public:
  FlagSet& flags() override { return flags_; }
  base::Result<void> prepare(const Invocation& invocation) override {
    if (invocation.arguments.empty()) return {};
    return base::fail(base::Code::invalid,
                      fmt::format("unexpected argument \"{}\"", invocation.arguments.front()));
  }
  base::Result<int> run(const Invocation& invocation) override {
    invocation.console.out(fmt::format("cluster-proxy {} (konnectivity {}, {})\n", kVersion,
                                       kKonnectivityVersion, net::tls_library()));
    return 0;
  }

 private:
  FlagSet flags_;
};

}  // namespace

Command version_command() {
  return {
      .name = "version",
      .aliases = {"--version"},
      .group = "Other Commands",
      .summary = "Print the version",
      .text =
          "Prints this program's version, that of the konnectivity whose flags, metrics and wire "
          "format it keeps, and that of the library that encrypts.",
      .make = [] { return std::make_unique<Version>(); }};
}

}  // namespace cli
