#include "http/h2_client.h"

#include <charconv>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/log.h"

namespace http {

using async::Task;
using base::Code;
using base::Result;
using Fate = H2RequestError::Fate;

namespace {

// Three digits, which the session has seen to.
unsigned status_of(const Headers& headers) {
  const auto& text = *find(headers, ":status");
  unsigned status = 0;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

// Either side says so: of a response that the session refuses, or of our request.
base::Error reset_error(std::uint32_t error) {
  if (error == static_cast<std::uint32_t>(H2Error::protocol))
    return {Code::io, "malformed HTTP/2 response, or request (PROTOCOL_ERROR)"};
  return {Code::closed,
          fmt::format("the server ended the response early (HTTP/2 error {})", error)};
}

}  // namespace

/// One request and its response, shared between the stream and who reads it.
struct H2Client::Call {
  explicit Call(async::Executor executor) : changed(executor) {}

  H2Stream* stream = nullptr;  // null once the stream is over
  ResponseHead head;
  bool head_done = false;
  bool ended = false;      // the response is complete
  bool abandoned = false;  // nobody reads it any more
  bool closed = false;
  std::uint32_t error = 0;  // of a closed stream
  std::string body;         // come, but not read yet
  async::Event changed;

  bool lost() const {
    return closed && error == static_cast<std::uint32_t>(H2Error::connection_lost);
  }
  bool refused() const {
    return closed && error == static_cast<std::uint32_t>(H2Error::refused_stream);
  }
  bool over() const { return ended || closed; }
  void reset() {
    if (stream != nullptr) stream->reset(H2Error::cancel);
  }
};

/// What the session tells of the stream.
class H2Client::CallHandler : public H2StreamHandler {
 public:
  CallHandler(H2Client& client, CallPtr call) : client_(client), call_(std::move(call)) {}

  void on_headers(const Headers& headers) override {
    if (call_->head_done) return;  // trailers
    const auto status = status_of(headers);
    if (status < 200) return;  // interim
    call_->head.status = status;
    for (const auto& field : headers) {
      if (!field.name.starts_with(':')) call_->head.fields.push_back(field);
    }
    call_->head_done = true;
    client_.proven_ = true;
    call_->changed.notify_all();
  }
  void on_data(base::Pieces pieces) override {
    if (call_->abandoned) return;
    for (const base::Bytes bytes : pieces) call_->body += base::as_text(bytes);
    call_->changed.notify_all();
  }
  void on_end() override {
    call_->ended = true;
    call_->changed.notify_all();
  }
  void on_drained() override {}
  void on_close(std::uint32_t error) override {
    call_->stream = nullptr;
    call_->closed = true;
    call_->error = error;
    call_->changed.notify_all();
    client_.changed_.notify_all();
  }

 private:
  H2Client& client_;
  CallPtr call_;
};

class H2Client::Exchange : public ClientResponse::Exchange {
 public:
  Exchange(std::shared_ptr<H2Client> client, CallPtr call)
      : client_(std::move(client)), call_(std::move(call)) {}
  ~Exchange() override {
    call_->abandoned = true;
    if (!call_->ended) call_->reset();
  }

  const ResponseHead& head() const override { return call_->head; }
  Task<std::string> read_part() override {
    while (call_->body.empty() && !call_->over()) CO_TRY_VOID(co_await call_->changed.wait());
    auto part = std::exchange(call_->body, {});
    if (!part.empty()) {
      if (call_->stream != nullptr) call_->stream->consume(part.size());
      co_return part;
    }
    if (call_->ended) co_return part;
    base::Error error = co_await client_->explain(call_);
    co_return base::fail(std::move(error));
  }

 private:
  std::shared_ptr<H2Client> client_;
  CallPtr call_;
};

std::shared_ptr<H2Client> H2Client::start(async::Executor executor, async::Clock& clock,
                                          std::unique_ptr<net::Stream> stream,
                                          const Options& options) {
  std::shared_ptr<H2Client> made(new H2Client(executor, clock, std::move(stream), options));
  made->tasks_.spawn("http/2 client", serve(made));
  return made;
}

H2Client::H2Client(async::Executor executor, async::Clock& clock,
                   std::unique_ptr<net::Stream> stream, const Options& options)
    : executor_(executor),
      clock_(clock),
      options_(options),
      changed_(executor),
      connection_(executor, std::move(stream),
                  {.role = H2Session::Role::client,
                   .stream_window = options.stream_window,
                   .connection_window = options.connection_window,
                   .header_limit = options.header_limit},
                  *this),
      tasks_(executor) {}

H2Client::~H2Client() = default;

// The task keeps its object alive, and the task group in it with it; the group has to see the end
// of the task, so that the last reference goes a step later.
Task<void> H2Client::serve(std::shared_ptr<H2Client> self) {
  using namespace async::asio::experimental::awaitable_operators;
  auto& connection = self->connection_;
  const auto& options = self->options_;
  const std::string peer = connection.stream().peer();
  auto outcome =
      co_await (connection.run() ||
                connection.keep_alive(self->clock_, options.ping_after, options.ping_limit));
  const bool silent = outcome.index() == 1;
  const auto& ended = silent ? std::get<1>(outcome) : std::get<0>(outcome);
  self->over_ = ended ? base::Error{Code::closed, "the connection ended"} : ended.error();
  self->accepting_ = false;
  self->changed_.notify_all();
  LOG_DEBUG("HTTP/2 connection ended", {"peer", peer}, {"reason", self->over_->message});
  const auto executor = self->executor_;
  async::asio::post(executor, [last = std::move(self)] {});
  co_return Result<void>{};
}

void H2Client::on_goaway(std::uint32_t) {
  accepting_ = false;
  changed_.notify_all();
}

void H2Client::retire() {
  if (!std::exchange(accepting_, false)) return;
  connection_.session().goaway();
  changed_.notify_all();
}

void H2Client::close() {
  accepting_ = false;
  connection_.close();
}

Result<void> H2Client::submit(const CallPtr& call, const ClientRequest& request,
                              const Headers& headers) {
  const auto make = [&](H2Stream& stream) -> std::unique_ptr<H2StreamHandler> {
    call->stream = &stream;
    return std::make_unique<CallHandler>(*this, call);
  };
  auto& session = connection_.session();
  if (request.body.empty()) {
    TRY_VOID(session.request_and_end(headers, make));
    return {};
  }
  TRY(auto* stream, session.request(headers, make));
  stream->send(base::as_bytes(request.body));
  stream->end();
  return {};
}

async::Awaitable<std::expected<void, H2RequestError>> H2Client::open(CallPtr call,
                                                                     ClientRequest request,
                                                                     Headers headers) {
  for (;;) {
    if (!accepting_) {
      co_return std::unexpected(H2RequestError(
          Fate::unprocessed, {Code::closed, "the connection takes no more requests"}));
    }
    auto submitted = submit(call, request, headers);
    if (submitted) co_return std::expected<void, H2RequestError>{};
    if (!submitted.error().is(Code::exhausted)) {
      retire();  // it has no more stream numbers
      co_return std::unexpected(H2RequestError(Fate::unprocessed, submitted.error()));
    }
    CO_TRY_VOID(co_await changed_.wait());
  }
}

async::Awaitable<std::expected<ClientResponse, H2RequestError>> H2Client::send(
    ClientRequest request, Origin origin) {
  const auto self = shared_from_this();
  const auto call = std::make_shared<Call>(executor_);
  auto exchange = std::make_unique<Exchange>(self, call);
  auto headers = h2_headers(request, origin);
  CO_TRY_VOID(co_await open(call, std::move(request), std::move(headers)));
  while (!call->head_done && !call->over()) CO_TRY_VOID(co_await call->changed.wait());
  if (call->head_done) co_return ClientResponse(std::move(exchange));
  auto error = co_await explain(call);
  co_return std::unexpected(std::move(error));
}

// The streams of a connection end a moment before it is known why it ended.
async::Awaitable<H2RequestError> H2Client::explain(CallPtr call) {
  if (call->refused()) {
    co_return H2RequestError(Fate::unprocessed, {Code::closed, "the server refused the stream"});
  }
  if (!call->lost()) co_return H2RequestError(Fate::refused, reset_error(call->error));
  while (!over_) {
    auto waited = co_await changed_.wait();
    if (!waited) co_return H2RequestError(std::move(waited).error());
  }
  co_return H2RequestError(Fate::unanswered, *over_);
}

}  // namespace http
