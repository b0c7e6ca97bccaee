#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/task_group.h"
#include "http/connector.h"
#include "http/h2_connection.h"
#include "net/listener.h"
#include "net/testing/certificates.h"

namespace http::testing {

class H2Server;

/// One connection that an H2Server has accepted.
class H2Link : public H2Connection::Handler {
 public:
  H2Link(async::Loop& loop, H2Server& server, std::unique_ptr<net::Stream> stream);
  std::unique_ptr<H2StreamHandler> on_request(H2Stream& stream, const Headers& headers) override;

  H2Server& server;
  H2Connection connection;
};

/// A server over TLS on loopback that answers by the path: "/echo" says what was asked, "/hold"
/// answers in part and keeps the stream, "/silent" never answers, "/big" gives a mebibyte,
/// "/missing" is a 404, "/reset" and "/bad" go wrong. To clients that do
/// not take HTTP/2 it says "h1". Thread: that of the loop.
class H2Server {
 public:
  H2Server(async::Loop& loop, async::Clock& clock);
  async::Awaitable<void> stop();

  Origin origin() const { return {.host = "127.0.0.1", .port = listener_->port()}; }
  const net::testing::Authority& authority() const { return authority_; }
  /// To every stream of "/hold".
  void say(std::string_view text, bool last = false);

  std::vector<std::string> protocols{"h2", "http/1.1"};
  std::uint32_t max_streams = 0;
  int refusals = 0;  // so many requests are refused from now on
  std::vector<std::unique_ptr<H2Link>> links;
  std::vector<std::string> asked;  // paths
  std::set<H2Stream*> held;

 private:
  async::Task<void> accept();
  async::Task<void> serve(std::unique_ptr<net::Stream> transport);

  async::Loop& loop_;
  net::testing::Authority authority_;
  net::testing::Identity identity_;
  std::unique_ptr<net::Listener> listener_;
  async::TaskGroup tasks_;
};

/// Offers both protocols, and trusts the server.
class ClientTls : public TlsSource {
 public:
  explicit ClientTls(const H2Server& server)
      : options{.trusted_ca_pem = server.authority().certificate_pem(),
                .alpn = {"h2", "http/1.1"}} {}
  async::Task<std::shared_ptr<const net::TlsContext>> tls_context() override {
    co_return net::TlsContext::make(net::TlsContext::Role::client, options);
  }
  net::TlsOptions options;
};

}  // namespace http::testing
