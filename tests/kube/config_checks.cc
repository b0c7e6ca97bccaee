// Where a configuration may come from, and the way to the API server that it names.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json/serialize.hpp>

#include "async/task_group.h"
#include "check_context.h"
#include "http/base64.h"
#include "net/dial.h"
#include "net/listener.h"
#include "net/socket_stream.h"

namespace kube_check {
namespace {

using base::Result;

std::string cluster_file(const Context& context) {
  const auto& cluster = context.admin.cluster;
  const auto ca = http::base64_encode(cluster.certificate_authority.inline_data);
  return fmt::format(
      "clusters: [{{name: c, cluster: {{server: \"{}\", certificate-authority-data: {}}}}}]\n"
      "contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n",
      cluster.server, ca);
}

/// The cluster in one file, the user in another, their certificates beside it.
Task<void> several_files(Context& context) {
  const Folder folder;
  folder.write("admin.crt", context.admin.user.client_certificate.inline_data);
  folder.write("admin.key", context.admin.user.client_key.inline_data);
  const auto user = folder.write("user",
                                 "current-context: x\nusers: [{name: u, user: {client-certificate: "
                                 "admin.crt, client-key: ./admin.key}}]\n");
  const auto list = fmt::format("{}:{}/none:{}", folder.write("cluster", cluster_file(context)),
                                folder.path(), user);
  const auto environment = [&](std::string_view name) {
    return name == "KUBECONFIG" ? list : std::string();
  };
  CO_TRY(const auto config, kube::find_config({.environment = environment}));
  co_return co_await expect_user(context, config, "admin");
}

Task<void> home(Context& context) {
  const Folder folder;
  CO_TRY(const auto text, kube::read_file(context.admin.source));
  std::filesystem::create_directory(folder.path() + "/.kube");
  folder.write(".kube/config", text);
  const auto environment = [&](std::string_view name) {
    return name == "HOME" ? folder.path() : std::string();
  };
  CO_TRY(const auto config, kube::find_config({.environment = environment}));
  co_return co_await expect_user(context, config, "admin");
}

Task<void> exec_certificate(Context& context) {
  const Folder folder;
  const kube::json::object status{
      {"clientCertificateData", context.admin.user.client_certificate.inline_data},
      {"clientKeyData", context.admin.user.client_key.inline_data}};
  const kube::json::object credential{{"apiVersion", "client.authentication.k8s.io/v1"},
                                      {"kind", "ExecCredential"},
                                      {"status", status}};
  auto config = without_user(context);
  config.user.exec =
      kube::ExecPlugin{.api_version = "client.authentication.k8s.io/v1",
                       .command = "cat",
                       .args = {folder.write("credential", kube::json::serialize(credential))}};
  co_return co_await expect_user(context, config, "admin");
}

/// An HTTP proxy that knows CONNECT only.
class ConnectProxy {
 public:
  explicit ConnectProxy(Context& context)
      : context_(context),
        listener_(*net::listen_tcp(context.loop, context.clock, "127.0.0.1", 0)),
        tasks_(context.loop.get_executor()) {
    tasks_.spawn("proxy", accept());
  }
  std::string url() const { return "http://" + listener_->address(); }
  async::Awaitable<void> stop() {
    tasks_.cancel();
    co_await tasks_.join();
  }
  std::vector<std::string> requests;  // first lines

 private:
  async::Task<void> accept() {
    for (;;) {
      CO_TRY(auto socket, co_await listener_->accept());
      tasks_.spawn("tunnel", serve(net::make_socket_stream(std::move(socket))));
    }
  }
  async::Task<void> serve(std::unique_ptr<net::Stream> client) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      std::uint8_t byte = 0;
      CO_TRY(const auto count, co_await client->read_some({&byte, 1}));
      if (count == 0) co_return Result<void>{};
      head += static_cast<char>(byte);
    }
    requests.push_back(head.substr(0, head.find("\r\n")));
    const auto target = head.substr(8, head.find(' ', 8) - 8);  // behind "CONNECT "
    CO_TRY(auto socket,
           co_await net::dial_tcp(context_.clock, target, std::chrono::seconds(5), {}));
    auto server = net::make_socket_stream(std::move(socket));
    CO_TRY_VOID(co_await client->write_all(base::as_bytes("HTTP/1.1 200 OK\r\n\r\n")));
    using namespace async::asio::experimental::awaitable_operators;
    auto ended = co_await (copy(*client, *server) || copy(*server, *client));
    co_return ended.index() == 0 ? std::get<0>(ended) : std::get<1>(ended);
  }
  static async::Task<void> copy(net::Stream& from, net::Stream& to) {
    std::vector<std::uint8_t> block(base::Buffer::kBlock);
    for (;;) {
      CO_TRY(const auto count, co_await from.read_some(block));
      if (count == 0) co_return Result<void>{};
      CO_TRY_VOID(co_await to.write_all(base::Bytes(block).first(count)));
    }
  }

  Context& context_;
  std::unique_ptr<net::Listener> listener_;
  async::TaskGroup tasks_;
};

Task<void> proxy_url(Context& context) {
  ConnectProxy proxy(context);
  auto config = context.admin;
  config.cluster.proxy_url = proxy.url();
  const auto seen = co_await expect_user(context, config, "admin");
  co_await proxy.stop();
  if (!seen) co_return seen;
  const auto wanted = "CONNECT " + config.cluster.server.substr(8) + " HTTP/1.1";
  if (proxy.requests == std::vector<std::string>{wanted}) co_return kube::Result<void>{};
  co_return wrong(fmt::format("{} requests came to the proxy", proxy.requests.size()));
}

}  // namespace

const std::vector<Check> kConfigChecks = {
    {"KUBECONFIG of several files", several_files},
    {"kubeconfig of the home folder", home},
    {"exec plugin that gives a certificate", exec_certificate},
    {"proxy-url", proxy_url},
};

}  // namespace kube_check
