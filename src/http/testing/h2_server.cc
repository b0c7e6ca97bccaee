#include "http/testing/h2_server.h"

#include <utility>

#include "net/socket_stream.h"

namespace http::testing {

using async::Task;
using base::Result;

namespace {

class Answer : public H2StreamHandler {
 public:
  Answer(H2Server& server, H2Stream& stream, const Headers& headers)
      : server_(server), stream_(stream), path_(*find(headers, ":path")) {
    text_ = *find(headers, ":method") + " ";
    if (const auto* field = find(headers, "x-test")) text_ += *field + " ";
  }
  void on_headers(const Headers&) override {}
  void on_data(base::Pieces pieces) override {
    for (const base::Bytes bytes : pieces) text_ += base::as_text(bytes);
  }
  void on_end() override {
    if (path_ == "/silent") return;
    if (path_ == "/reset") return stream_.reset(H2Error::internal);
    if (path_ == "/bad") return stream_.respond({{"x", "no status"}});
    stream_.respond({{":status", path_ == "/missing" ? "404" : "200"}, {"x-answer", "yes"}});
    if (path_ == "/hold") {
      server_.held.insert(&stream_);
      return;
    }
    if (path_ == "/big") text_.assign(1 << 20, 'b');
    stream_.send(base::as_bytes(text_));
    stream_.end();
  }
  void on_drained() override {}
  void on_close(std::uint32_t) override { server_.held.erase(&stream_); }

 private:
  H2Server& server_;
  H2Stream& stream_;
  std::string path_;
  std::string text_;
};

Task<void> serve_h1(std::unique_ptr<net::Stream> stream) {
  std::vector<std::uint8_t> block(4096);
  for (;;) {
    CO_TRY(const auto count, co_await stream->read_some(block));
    if (count == 0) co_return Result<void>{};
    CO_TRY_VOID(co_await stream->write_all(
        base::as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh1")));
  }
}

}  // namespace

H2Link::H2Link(async::Loop& loop, H2Server& owner, std::unique_ptr<net::Stream> stream)
    : server(owner),
      connection(loop.get_executor(), std::move(stream),
                 {.role = H2Session::Role::server, .max_streams = owner.max_streams}, *this) {}

std::unique_ptr<H2StreamHandler> H2Link::on_request(H2Stream& stream, const Headers& headers) {
  server.asked.push_back(*find(headers, ":path"));
  if (server.refusals > 0) {
    --server.refusals;
    return nullptr;
  }
  return std::make_unique<Answer>(server, stream, headers);
}

H2Server::H2Server(async::Loop& loop, async::Clock& clock)
    : loop_(loop),
      identity_(authority_.issue("server", {"127.0.0.1"})),
      listener_(*net::listen_tcp(loop, clock, "127.0.0.1", 0)),
      tasks_(loop.get_executor()) {
  tasks_.spawn("accept", accept());
}

async::Awaitable<void> H2Server::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

void H2Server::say(std::string_view text, bool last) {
  for (auto* stream : std::set(held)) {
    stream->send(base::as_bytes(text));
    if (last) stream->end();
  }
}

Task<void> H2Server::accept() {
  for (;;) {
    CO_TRY(auto socket, co_await listener_->accept());
    tasks_.spawn("serve", serve(net::make_socket_stream(std::move(socket))));
  }
}

Task<void> H2Server::serve(std::unique_ptr<net::Stream> transport) {
  const net::TlsOptions options{.certificate_chain_pem = identity_.certificate_pem,
                                .private_key_pem = identity_.key_pem,
                                .alpn = protocols};
  CO_TRY(auto context, net::TlsContext::make(net::TlsContext::Role::server, options));
  CO_TRY(auto stream, co_await net::tls_handshake(std::move(transport), context, ""));
  if (stream->alpn() != "h2") co_return co_await serve_h1(std::move(stream));
  links.push_back(std::make_unique<H2Link>(loop_, *this, std::move(stream)));
  co_return co_await links.back()->connection.run();
}

}  // namespace http::testing
