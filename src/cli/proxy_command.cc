#include "cli/proxy_command.h"

#include <optional>

#include <fmt/format.h>

#include "app/client_commands.h"
#include "cli/client_flags.h"
#include "cli/rules.h"

namespace cli {
namespace {

class ProxyAction : public Action {
 public:
  ProxyAction() {
    flags_.section("Proxy flags");
    flags_.add_string("socks5", socks5_,
                      "Serve SOCKS5 at [ADDRESS:]PORT, for curl --proxy socks5h://..., ssh, "
                      "browsers.");
    flags_.add_string(
        "http", http_,
        "Serve an HTTP proxy at [ADDRESS:]PORT, for https_proxy, kubectl's proxy-url, "
        "browsers.");
    flags_.add_string(
        "credentials", credentials_,
        "NAME:PASSWORD that clients of both have to give. Other users of this machine "
        "see command lines: keep it in the settings file or the environment.");
    client_.add_to(flags_);
  }
  FlagSet& flags() override { return flags_; }

  base::Result<void> prepare(const Invocation& invocation) override {
    if (!invocation.arguments.empty()) {
      return base::fail(base::Code::invalid,
                        fmt::format("unexpected argument \"{}\"", invocation.arguments.front()));
    }
    TRY(config_, client_.config());
    if (socks5_.empty() && http_.empty()) {
      return base::fail(base::Code::invalid,
                        "nothing to serve: give --socks5=PORT, --http=PORT, or both");
    }
    TRY(proxies_.socks5, listen("--socks5", socks5_));
    TRY(proxies_.http, listen("--http", http_));
    return read_credentials();
  }

  base::Result<int> run(const Invocation& invocation) override {
    return app::run_proxy(*config_, proxies_, output_of(invocation.console));
  }

 private:
  static base::Result<std::optional<app::ListenAddress>> listen(std::string_view flag,
                                                                const std::string& text) {
    if (text.empty()) return std::nullopt;
    auto address = parse_local(text);
    if (!address) return bad_flag(flag, text, address.error().message);
    return *std::move(address);
  }

  base::Result<void> read_credentials() {
    if (credentials_.empty()) return {};
    const std::size_t colon = credentials_.find(':');
    constexpr std::size_t kMost = 255;  // RFC 1929
    if (colon == credentials_.npos || colon == 0 || colon > kMost ||
        credentials_.size() - colon - 1 > kMost) {
      return base::fail(base::Code::invalid,
                        "invalid --credentials: want NAME:PASSWORD, each of at most 255 bytes");
    }
    proxies_.name = credentials_.substr(0, colon);
    proxies_.password = credentials_.substr(colon + 1);
    return {};
  }

  std::string socks5_, http_, credentials_;
  ClientFlags client_;
  FlagSet flags_;
  app::LocalProxies proxies_;
  std::optional<app::ClientConfig> config_;
};

}  // namespace

Command proxy_command() {
  return {
      .name = "proxy",
      .group = "Client Commands",
      .summary = "Be a SOCKS5 and HTTP proxy on this machine that leads into clusters",
      .text = fmt::format(
          "Serves proxies on this machine that connect to whatever their clients ask for through "
          "the tunnel, until it is interrupted: SOCKS5 (CONNECT, names looked up at the far end), "
          "and HTTP (CONNECT, and plain http:// URLs). Without an ADDRESS only this machine itself "
          "can connect; with * everybody can, so give --credentials then.\n\n{}",
          kAboutTargets),
      .examples = {{"curl by SOCKS5",
                    "cluster-proxy proxy --socks5=1080\n"
                    "curl --proxy socks5h://127.0.0.1:1080 http://nginx.cluster1/"},
                   {"A browser: names are resolved in the cluster",
                    "chromium --proxy-server=socks5://127.0.0.1:1080 http://nginx.cluster1/"},
                   {"kubectl to a managed cluster, its certificate verified",
                    "cluster-proxy proxy --http=8118\n"
                    "kubectl config set-cluster cluster1 --server=https://cluster1:443 \\\n"
                    "  --proxy-url=http://127.0.0.1:8118 --tls-server-name=kubernetes \\\n"
                    "  --certificate-authority=cluster1-ca.crt"},
                   {"Everything that reads the environment",
                    "export https_proxy=http://127.0.0.1:8118 http_proxy=http://127.0.0.1:8118"}},
      .settings = "proxy",
      .make = [] { return std::make_unique<ProxyAction>(); }};
}

}  // namespace cli
