#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "async/busy_poll.h"
#include "async/task_group.h"
#include "async/testing/run.h"
#include "async/timeout.h"
#include "net/dial.h"
#include "net/listener.h"
#include "net/testing/certificates.h"
#include "net/testing/memory_stream.h"
#include "net/tls.h"

namespace net {
namespace {

using namespace std::chrono_literals;
using async::Task;
using base::as_bytes;
using base::Code;
using base::Result;

// One loop with a listener; a client dials it and the test holds both ends.
class Net : public ::testing::Test {
 protected:
  struct Pair {
    std::unique_ptr<Stream> client, server;
  };

  static Task<void> accept_into(Listener& listener, std::unique_ptr<Stream>& out) {
    CO_TRY(auto socket, co_await listener.accept());
    out = make_socket_stream(std::move(socket));
    co_return Result<void>{};
  }

  Task<Pair> connect(Listener& listener) {
    Pair pair;
    tasks_.spawn("accept", accept_into(listener, pair.server));
    CO_TRY(auto socket, co_await dial_tcp(clock_, listener.address(), 5s, {}));
    pair.client = make_socket_stream(std::move(socket));
    co_await tasks_.join();
    co_return pair;
  }

  static Task<void> serve_tls(Stream*, std::unique_ptr<Stream> raw,
                              std::shared_ptr<const TlsContext> context,
                              std::unique_ptr<TlsStream>& out, std::string& error) {
    auto stream = co_await tls_handshake(std::move(raw), std::move(context), "");
    if (stream)
      out = std::move(*stream);
    else
      error = stream.error().message;
    co_return Result<void>{};
  }

  // The outcome of a handshake on both sides: "" or the error of the client.
  Task<std::string> handshake(TlsOptions server, TlsOptions client, std::string name) {
    CO_TRY(auto listener, listen_tcp(loop_, clock_, "127.0.0.1", 0));
    CO_TRY(auto pair, co_await connect(*listener));
    CO_TRY(auto server_context, TlsContext::make(TlsContext::Role::server, server));
    CO_TRY(auto client_context, TlsContext::make(TlsContext::Role::client, client));
    tasks_.spawn("serve", serve_tls(nullptr, std::move(pair.server), server_context, server_,
                                    server_error_));
    auto made = co_await tls_handshake(std::move(pair.client), client_context, name);
    co_await tasks_.join();
    if (!made) co_return made.error().message;
    client_ = std::move(*made);
    co_return std::string();
  }

  // What the server says of a client that sends `first` and leaves in the middle of the handshake.
  Task<std::string> broken_off(TlsOptions server, std::string first) {
    CO_TRY(auto listener, listen_tcp(loop_, clock_, "127.0.0.1", 0));
    CO_TRY(auto pair, co_await connect(*listener));
    CO_TRY(auto context, TlsContext::make(TlsContext::Role::server, server));
    tasks_.spawn("serve",
                 serve_tls(nullptr, std::move(pair.server), context, server_, server_error_));
    CO_TRY_VOID(co_await pair.client->write_all(base::as_bytes(first)));
    CO_TRY_VOID(co_await pair.client->shutdown_write());
    co_await tasks_.join();
    co_return server_error_;
  }

  // The client's last word of the handshake and its first of the conversation arrive as one.
  static Task<void> speak_at_once(std::unique_ptr<Stream> raw,
                                  std::shared_ptr<const TlsContext> context,
                                  std::unique_ptr<TlsStream>& out) {
    CO_TRY(out, co_await tls_handshake(std::move(raw), std::move(context), ""));
    co_return co_await out->write_all(as_bytes("first words"));
  }
  Task<std::string> first_words(TlsOptions server, TlsOptions client) {
    testing::Cable cable(loop_.get_executor());
    CO_TRY(auto server_context, TlsContext::make(TlsContext::Role::server, server));
    CO_TRY(auto client_context, TlsContext::make(TlsContext::Role::client, client));
    tasks_.spawn("speak", speak_at_once(cable.first(), client_context, client_));
    CO_TRY(server_, co_await tls_handshake(cable.second(), server_context, ""));
    CO_TRY_VOID(co_await async::with_timeout(clock_, 5s, "first words", server_->wait_readable()));
    std::array<std::uint8_t, 100> block;
    CO_TRY(const std::size_t count, co_await server_->read_some(block));
    co_return std::string(base::as_text({block.data(), count}));
  }

  Task<std::string> send(Stream& from, Stream& to, std::string text) {
    tasks_.spawn("write", write_and_end(from, text));
    std::string received;
    std::array<std::uint8_t, 5000> block;
    for (;;) {
      CO_TRY(const std::size_t count, co_await to.read_some(block));
      if (count == 0) break;
      received += base::as_text({block.data(), count});
    }
    co_await tasks_.join();
    co_return received;
  }

  static Task<void> wait_readable(Stream& stream, int& interrupted) {
    const auto ready = co_await stream.wait_readable();
    if (!ready && ready.error().is(Code::cancelled)) ++interrupted;
    co_return Result<void>{};
  }
  Task<std::string> write_while_interrupted(Stream& from, Stream& to, std::string text) {
    int interrupted = 0, waits = 0;
    tasks_.spawn("write", write_and_end(from, text));
    std::string received;
    std::vector<std::uint8_t> block(1'000'000);
    for (;;) {
      tasks_.spawn("wait", wait_readable(from, interrupted));
      ++waits;
      co_await async::asio::post(async::kAwaitable);  // it waits now
      from.interrupt();
      CO_TRY(const std::size_t count, co_await to.read_some(block));
      if (count == 0) break;
      received += base::as_text(std::span(block).first(count));
    }
    co_await tasks_.join();
    if (interrupted != waits)
      co_return base::fail(Code::internal, "not all waits were interrupted");
    co_return received;
  }

  Task<std::string> read_blocks(Stream& from, Stream& to, std::string text) {
    if (!text.empty()) tasks_.spawn("write", write_and_end(from, text));
    std::string received;
    BlockReader reader(to);
    for (;;) {
      CO_TRY_VOID(co_await reader.wait());
      auto block = reader.take();
      if (!block) continue;
      CO_TRY(const base::Buffer bytes, *std::move(block));
      if (bytes.empty()) break;
      received += base::as_text(bytes.bytes());
    }
    co_await tasks_.join();
    co_return received;
  }
  // All blocks of a read but the last are full.
  Task<std::string> read_many_blocks(Stream& from, Stream& to, std::string text) {
    constexpr std::size_t kLimit = 1000;
    tasks_.spawn("write", write_and_end(from, text));
    std::string received;
    BlockReader reader(to);
    for (;;) {
      CO_TRY_VOID(co_await reader.wait());
      auto blocks = reader.take(kLimit, 5);
      if (!blocks) continue;
      CO_TRY(base::BufferQueue queue, *std::move(blocks));
      if (queue.empty()) break;
      while (!queue.empty()) {
        const base::Buffer block = queue.pop();
        if (block.size() != kLimit && !queue.empty())
          co_return base::fail(Code::internal, "a block in the middle is not full");
        received += base::as_text(block.bytes());
      }
    }
    co_await tasks_.join();
    co_return received;
  }
  static Task<void> flush_and_end(Stream& stream) {
    base::BufferQueue nothing;
    CO_TRY_VOID(co_await stream.write_all(nothing));
    co_return co_await stream.shutdown_write();
  }

  static Task<void> write_and_end(Stream& to, std::string text) {
    CO_TRY_VOID(co_await to.write_all(as_bytes(text)));
    co_return co_await to.shutdown_write();
  }

  template <typename T>
  Result<T> run(Task<T> task) {
    return async::testing::run(loop_, std::move(task));
  }

  async::Loop loop_;
  async::SystemClock clock_;
  testing::Authority authority_;
  std::unique_ptr<TlsStream> server_, client_;
  std::string server_error_;
  async::TaskGroup tasks_{loop_.get_executor()};
};

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

TEST_F(Net, carries_bytes_over_tcp_with_half_close) {
  auto listener = listen_tcp(loop_, clock_, "", 0);
  ASSERT_TRUE(listener);
  auto pair = run(connect(**listener));
  ASSERT_TRUE(pair) << pair.error().message;
  const std::string text = pattern(300'000);
  EXPECT_EQ(run(send(*pair->client, *pair->server, text)).value(), text);
  EXPECT_EQ(run(send(*pair->server, *pair->client, "and back")).value(), "and back");
}

TEST_F(Net, tells_the_loop_how_much_came_in) {
  auto listener = listen_tcp(loop_, clock_, "127.0.0.1", 0);
  auto pair = run(connect(**listener));
  ASSERT_TRUE(pair) << pair.error().message;
  async::take_moved();
  const std::string text = pattern(300'000);
  EXPECT_EQ(run(send(*pair->client, *pair->server, text)).value(), text);
  EXPECT_EQ(async::take_moved(), text.size());
}

TEST_F(Net, interrupts_who_waits_to_read_and_nobody_who_writes) {
  auto listener = listen_tcp(loop_, clock_, "127.0.0.1", 0);
  auto pair = run(connect(**listener));
  ASSERT_TRUE(pair) << pair.error().message;
  const std::string text = pattern(20'000'000);
  const auto outcome = run(write_while_interrupted(*pair->client, *pair->server, text));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(*outcome, text);
}

TEST_F(Net, reads_in_blocks_up_to_the_end) {
  auto listener = listen_tcp(loop_, clock_, "127.0.0.1", 0);
  auto pair = run(connect(**listener));
  ASSERT_TRUE(pair) << pair.error().message;
  const std::string text = pattern(500'000);
  EXPECT_EQ(run(read_blocks(*pair->client, *pair->server, text)).value(), text);
}

TEST_F(Net, reads_several_blocks_at_once) {
  auto listener = listen_tcp(loop_, clock_, "127.0.0.1", 0).value();
  auto pair = run(connect(*listener)).value();
  const std::string text = pattern(300'000);
  EXPECT_EQ(run(read_many_blocks(*pair.client, *pair.server, text)).value(), text);
}

TEST_F(Net, speaks_of_a_refused_dial_as_go_does) {
  auto listener = listen_tcp(loop_, clock_, "127.0.0.1", 0);
  const std::string address = (*listener)->address();
  (*listener)->close();
  const auto socket = run(dial_tcp(clock_, address, 5s, {}));
  EXPECT_EQ(socket.error().message, "dial tcp " + address + ": connect: connection refused");
  EXPECT_EQ(socket.error().code, Code::refused);
}

TEST_F(Net, names_the_address_when_a_port_is_taken) {
  auto first = listen_tcp(loop_, clock_, "127.0.0.1", 0);
  const auto second = listen_tcp(loop_, clock_, "127.0.0.1", (*first)->port());
  EXPECT_EQ(second.error().message, "listen on " + (*first)->address() +
                                        ": bind: address already in use (another process listens "
                                        "there: stop it or choose another port)");
}

TEST_F(Net, binds_a_unix_socket_for_its_group_and_removes_it) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("cp-net-test-" + std::to_string(getpid())))
          .string();
  {
    auto listener = listen_unix(loop_, clock_, path, true);
    ASSERT_TRUE(listener) << listener.error().message;
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0770u);
    EXPECT_FALSE(listen_unix(loop_, clock_, path, false));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Net, carries_bytes_over_mutual_tls) {
  const auto server = authority_.issue("hub", {"hub.example", "127.0.0.1"}),
             client = authority_.issue("agent", {});
  TlsOptions served{.certificate_chain_pem = server.certificate_pem,
                    .private_key_pem = server.key_pem,
                    .trusted_ca_pem = authority_.certificate_pem(),
                    .alpn = {"h2"}};
  TlsOptions asked{.certificate_chain_pem = client.certificate_pem,
                   .private_key_pem = client.key_pem,
                   .trusted_ca_pem = authority_.certificate_pem(),
                   .alpn = {"custom", "h2"}};
  ASSERT_EQ(run(handshake(served, asked, "hub.example")).value(), "");
  EXPECT_EQ(client_->alpn(), "h2");
  EXPECT_EQ(server_->peer_subject(), "CN=agent");
  const std::string text = pattern(1'000'000);
  EXPECT_EQ(run(send(*client_, *server_, text)).value(), text);
  EXPECT_EQ(run(send(*server_, *client_, text)).value(), text);
}

TEST_F(Net, sends_later_what_the_system_does_not_take_of_tls_records) {
  const auto server = authority_.issue("hub", {"hub.example"});
  const TlsOptions served{.certificate_chain_pem = server.certificate_pem,
                          .private_key_pem = server.key_pem};
  const TlsOptions asked{.trusted_ca_pem = authority_.certificate_pem()};
  ASSERT_EQ(run(handshake(served, asked, "hub.example")).value(), "");
  const std::string block = pattern(50'000);
  std::string said;
  while (!client_->unsent()) {
    ASSERT_EQ(client_->try_write(as_bytes(block)), block.size());
    said += block;
  }
  EXPECT_EQ(client_->try_write(as_bytes(block)), 0u);
  tasks_.spawn("flush", flush_and_end(*client_));
  EXPECT_EQ(run(read_blocks(*client_, *server_, "")).value(), said);
}

TEST_F(Net, is_readable_when_the_first_words_came_with_the_handshake) {
  const auto server = authority_.issue("hub", {"hub.example"});
  const TlsOptions served{.certificate_chain_pem = server.certificate_pem,
                          .private_key_pem = server.key_pem};
  const TlsOptions asked{.trusted_ca_pem = authority_.certificate_pem()};
  const auto heard = run(first_words(served, asked));
  ASSERT_TRUE(heard) << heard.error().message;
  EXPECT_EQ(*heard, "first words");
}

TEST_F(Net, refuses_a_server_of_another_name_or_authority) {
  const auto server = authority_.issue("hub", {"hub.example"});
  TlsOptions served{.certificate_chain_pem = server.certificate_pem,
                    .private_key_pem = server.key_pem};
  TlsOptions asked{.trusted_ca_pem = authority_.certificate_pem()};
  EXPECT_EQ(
      run(handshake(served, asked, "other.example")).value(),
      "tls: certificate of the peer refused: hostname mismatch (wanted \"other.example\", it is "
      "for hub.example; connect by one of these names, or issue it for that one)");
  EXPECT_TRUE(server_error_.ends_with(
      " alert bad certificate (the peer refused our certificate, and its log says why: out of "
      "date, for another name, or of an authority that it does not trust)"))
      << server_error_;
  EXPECT_EQ(
      run(handshake(served, asked, "192.0.2.7")).value(),
      "tls: certificate of the peer refused: IP address mismatch (wanted \"192.0.2.7\", it is "
      "for hub.example; connect by one of these names, or issue it for that one)");
  asked.trusted_ca_pem = testing::Authority().certificate_pem();
  EXPECT_EQ(run(handshake(served, asked, "hub.example")).value(),
            "tls: certificate of the peer refused: unable to get local issuer certificate (its "
            "authority is not in our CA file; check that file)");
}

TEST_F(Net, refuses_a_client_without_certificate) {
  const auto server = authority_.issue("hub", {"hub.example"});
  TlsOptions served{.certificate_chain_pem = server.certificate_pem,
                    .private_key_pem = server.key_pem,
                    .trusted_ca_pem = authority_.certificate_pem()};
  TlsOptions asked{.trusted_ca_pem = authority_.certificate_pem()};
  (void)run(handshake(served, asked, "hub.example"));
  EXPECT_EQ(server_error_,
            "tls: handshake failed: peer did not return a certificate (it must show one of an "
            "authority in our CA file)");
}

TEST_F(Net, tells_a_port_check_from_a_handshake_broken_off) {
  const auto server = authority_.issue("hub", {"hub.example"});
  const TlsOptions served{.certificate_chain_pem = server.certificate_pem,
                          .private_key_pem = server.key_pem};
  EXPECT_EQ(run(broken_off(served, "")).value(),
            "tls: the peer closed the connection before it said anything");
  const std::string head_of_a_record("\x16\x03\x01\x01\x00", 5);
  EXPECT_EQ(run(broken_off(served, head_of_a_record)).value(),
            "tls: the peer closed the connection during the handshake");
}

TEST_F(Net, says_when_key_and_certificate_do_not_fit) {
  const auto one = authority_.issue("a", {}), other = authority_.issue("b", {});
  const TlsOptions options{.certificate_chain_pem = one.certificate_pem,
                           .private_key_pem = other.key_pem};
  EXPECT_EQ(TlsContext::make(TlsContext::Role::server, options).error().message,
            "the private key does not belong to the certificate");
}

}  // namespace
}  // namespace net
