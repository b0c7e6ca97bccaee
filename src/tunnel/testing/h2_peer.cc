#include "tunnel/testing/h2_peer.h"

#include <utility>

namespace tunnel::testing {

using async::Task;
using base::Result;

std::string H2PeerStream::header(std::string_view name) const {
  for (const http::Headers& block : headers) {
    if (const std::string* found = http::find(block, name)) return *found;
  }
  return "";
}

// What was heard outlives the stream.
class H2Peer::Handler : public http::H2StreamHandler {
 public:
  explicit Handler(H2PeerStream& heard) : heard_(heard) {}
  void on_headers(const http::Headers& headers) override { heard_.headers.push_back(headers); }
  void on_data(base::Pieces pieces) override {
    for (const base::Bytes bytes : pieces) heard_.body += base::as_text(bytes);
    if (heard_.takes) heard_.stream->consume(pieces.size());
  }
  void on_end() override { heard_.ended = true; }
  void on_drained() override {}
  void on_close(std::uint32_t error) override {
    heard_.closed = error;
    heard_.stream = nullptr;
  }

 private:
  H2PeerStream& heard_;
};

H2Peer::H2Peer(async::TaskGroup& tasks, std::unique_ptr<net::Stream> stream,
               const http::H2Session::Options& options)
    : tasks_(tasks),
      connection_(tasks.executor(), std::move(stream), options,
                  static_cast<http::H2Connection::Handler&>(*this)) {
  tasks_.spawn("peer", run());
}

H2Peer::~H2Peer() = default;

Task<void> H2Peer::run() {
  auto result = co_await connection_.run();
  ended_ = result ? base::Error{} : result.error();
  co_return Result<void>{};
}

H2PeerStream& H2Peer::open(const http::Headers& headers) {
  H2PeerStream& heard = *opened_.emplace_back(std::make_unique<H2PeerStream>());
  auto stream = session().request(headers, std::make_unique<Handler>(heard));
  if (stream) heard.stream = *stream;
  return heard;
}

std::unique_ptr<http::H2StreamHandler> H2Peer::on_request(http::H2Stream& stream,
                                                          const http::Headers& headers) {
  H2PeerStream& heard = *requests_.emplace_back(std::make_unique<H2PeerStream>());
  heard.stream = &stream;
  heard.headers.push_back(headers);
  stream.allow_half_close();
  return std::make_unique<Handler>(heard);
}

void H2Peer::inject(std::string bytes) { tasks_.spawn("inject", write(std::move(bytes))); }

Task<void> H2Peer::write(std::string bytes) {
  co_return co_await connection_.stream().write_all(base::as_bytes(bytes));
}

std::string header_bomb() {
  // One field of 4 KB goes into the dynamic table, and is then named 200 times by its index.
  constexpr std::size_t kValue = 4000;
  return std::string("\x40\x01x\x7f\xa1\x1e") + std::string(kValue, 'x') + std::string(200, '\xbe');
}

std::string literal_field(std::string_view name, std::string_view value) {
  std::string field(1, '\0');
  for (const std::string_view text : {name, value})
    field.append(1, static_cast<char>(text.size())).append(text);
  return field;
}

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
  const auto byte = [](std::size_t value, int shift) { return static_cast<char>(value >> shift); };
  std::string out{byte(payload.size(), 16), byte(payload.size(), 8), byte(payload.size(), 0),
                  static_cast<char>(type), static_cast<char>(flags)};
  for (const int shift : {24, 16, 8, 0}) out += byte(stream, shift);
  return out.append(payload);
}

}  // namespace tunnel::testing
