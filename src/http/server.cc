#include "http/server.h"

#include <array>
#include <ctime>

#include "async/timeout.h"
#include "base/log.h"
#include "http/request_reader.h"

namespace http {
namespace {

using base::Code;

/// The next request, or Code::closed when the peer ended the connection.
async::Task<RequestReader::Outcome> read_request(net::Stream& stream, RequestReader& reader) {
  std::array<std::uint8_t, 4096> block;
  while (true) {
    if (auto outcome = reader.next()) co_return std::move(*outcome);
    CO_TRY(const std::size_t count, co_await stream.read_some(block));
    if (count == 0) co_return base::fail(Code::closed, "end of connection");
    reader.feed({block.data(), count});
  }
}

ServerResponse refusal_of(unsigned status) {
  switch (status) {
    case 431:
      return {.status = 431, .body = "431 Request Header Fields Too Large"};
    case 413:
      return {.status = 413, .body = "413 Payload Too Large"};
    default:
      return {.status = 400, .body = "400 Bad Request"};
  }
}

}  // namespace

Server::Server(async::Loop& loop, async::Clock& clock, std::unique_ptr<net::Listener> listener,
               Routes routes, Limits limits)
    : clock_(clock),
      listener_(std::move(listener)),
      routes_(std::move(routes)),
      limits_(limits),
      tasks_(loop.get_executor()) {}

void Server::start() { tasks_.spawn("http accept", accept_all()); }

async::Task<void> Server::accept_all() {
  while (!stopping_) {
    CO_TRY(net::Socket socket, co_await listener_->accept());
    if (stopping_ || connections_.size() >= limits_.connections) continue;  // closes the socket
    const Place place =
        connections_.emplace(connections_.end(), net::make_socket_stream(std::move(socket)));
    tasks_.spawn("http connection", serve(place));
  }
  co_return base::Result<void>{};
}

async::Task<void> Server::serve(Place place) {
  struct Removal {
    std::list<Connection>& connections;
    Place place;
    ~Removal() { connections.erase(place); }
  } removal{connections_, place};
  co_return co_await serve_requests(place);
}

async::Task<void> Server::serve_requests(Place place) {
  net::Stream& stream = *place->stream;
  RequestReader reader({.head_bytes = limits_.head_bytes, .body_bytes = limits_.body_bytes});
  bool keep_alive = true;
  while (keep_alive && !stopping_) {
    CO_TRY(const RequestReader::Outcome outcome,
           co_await async::with_timeout(clock_, limits_.request_time, "http request",
                                        read_request(stream, reader)));
    place->busy = true;
    ServerResponse response;
    if (outcome.refusal != 0) {
      response = refusal_of(outcome.refusal);
    } else {
      CO_TRY(response, co_await routes_.serve(outcome.request));
    }
    keep_alive = outcome.refusal == 0 && outcome.keep_alive && !stopping_;
    const std::string wire =
        encode_response(response, outcome.request.method == "HEAD", keep_alive, http_date(clock_));
    CO_TRY_VOID(co_await async::with_timeout(clock_, limits_.request_time, "http response",
                                             stream.write_all(base::as_bytes(wire))));
    place->busy = false;
  }
  co_return co_await stream.shutdown_write();
}

async::Task<void> Server::drained() {
  co_await tasks_.join();
  co_return base::Result<void>{};
}

async::Task<void> Server::stop(async::Duration grace) {
  stopping_ = true;
  listener_->close();
  for (Connection& connection : connections_) {
    if (!connection.busy) connection.stream->close();
  }
  auto ended = co_await async::with_timeout(clock_, grace, "http stop", drained());
  if (!ended)
    LOG_DEBUG("http connections cut", {"count", connections_.size()},
              {"address", listener_->address()});
  tasks_.cancel();
  co_await tasks_.join();
  co_return base::Result<void>{};
}

}  // namespace http
