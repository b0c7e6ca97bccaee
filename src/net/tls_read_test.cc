#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/testing/run.h"
#include "net/testing/certificates.h"
#include "net/testing/memory_stream.h"
#include "net/tls.h"

namespace net {
namespace {

using async::Task;
using base::Result;

constexpr std::size_t kSaid = 3'000'000;

std::string pattern(unsigned seed) {
  std::minstd_rand random(seed);
  std::string text(kSaid, ' ');
  for (char& c : text) c = static_cast<char>(random() >> 8);
  return text;
}

// Two connections of one loop, which share the memory that is read ahead into.
class TlsRead : public ::testing::Test {
 protected:
  struct Connection {
    std::unique_ptr<TlsStream> server, client;
    std::string said, heard;
    bool over = false;
  };

  TlsRead() {
    const auto identity = authority_.issue("hub", {"hub.example"});
    server_context_ = *TlsContext::make(
        TlsContext::Role::server,
        {.certificate_chain_pem = identity.certificate_pem, .private_key_pem = identity.key_pem});
    client_context_ = *TlsContext::make(TlsContext::Role::client,
                                        {.trusted_ca_pem = authority_.certificate_pem()});
  }

  static Task<void> accept(std::unique_ptr<Stream> raw, std::shared_ptr<const TlsContext> context,
                           std::unique_ptr<TlsStream>& out) {
    CO_TRY(out, co_await tls_handshake(std::move(raw), std::move(context), ""));
    co_return Result<void>{};
  }

  Task<void> connect(Connection& connection) {
    testing::Cable cable(loop_.get_executor());
    tasks_.spawn("accept", accept(cable.first(), server_context_, connection.server));
    CO_TRY(connection.client,
           co_await tls_handshake(cable.second(), client_context_, "hub.example"));
    co_await tasks_.join();
    co_return Result<void>{};
  }

  // In writes of any size: records are whole or not.
  Task<void> speak(Connection& connection) {
    std::uniform_int_distribution<std::size_t> sizes(1, 60'000);
    base::Bytes rest = base::as_bytes(connection.said);
    while (!rest.empty()) {
      const std::size_t count = std::min(rest.size(), sizes(random_));
      CO_TRY_VOID(co_await connection.client->write_all(rest.first(count)));
      rest = rest.subspan(count);
    }
    co_return co_await connection.client->shutdown_write();
  }

  // In reads from a byte to more than is ever read ahead. Each gives the loop away.
  Task<void> hear(Connection& connection) {
    const std::size_t sizes[] = {1, 100, 16 * 1024, 20'000, 64 * 1024, 160 * 1024, 1'000'000};
    std::vector<std::uint8_t> block(1'000'000);
    while (!connection.over) {
      const auto into = std::span(block).first(sizes[random_() % std::size(sizes)]);
      const auto count = co_await connection.server->read_some(into);
      if (!count) connection.server->abort();  // or the other end would wait for good
      CO_TRY_VOID(count);
      connection.heard += base::as_text(into.first(*count));
      connection.over = *count == 0;
      co_await async::asio::post(async::kAwaitable);
    }
    co_return Result<void>{};
  }

  Task<void> converse() {
    for (Connection& connection : connections_) {
      CO_TRY_VOID(co_await connect(connection));
      connection.said = pattern(static_cast<unsigned>(random_()));
    }
    for (Connection& connection : connections_) {
      tasks_.spawn("speak", speak(connection));
      tasks_.spawn("hear", hear(connection));
    }
    co_await tasks_.join();
    co_return Result<void>{};
  }

  async::Loop loop_;
  testing::Authority authority_;
  std::shared_ptr<const TlsContext> server_context_, client_context_;
  std::array<Connection, 2> connections_;
  std::minstd_rand random_{1};
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(TlsRead, gives_every_byte_to_its_connection_whatever_the_sizes) {
  ASSERT_TRUE(async::testing::run(loop_, converse()));
  for (const Connection& connection : connections_) {
    EXPECT_TRUE(connection.over);
    EXPECT_TRUE(connection.heard == connection.said);
  }
}

}  // namespace
}  // namespace net
