#include "grpc/call.h"

#include <array>
#include <utility>

namespace grpc {

void Call::send(base::Bytes message) {
  std::array<std::uint8_t, kPrefixBytes> prefix;
  write_prefix(prefix.data(), message.size());
  stream_.send(prefix);
  stream_.send(message);
}

void Call::send_framed(base::Buffer message) { stream_.send(std::move(message)); }

void Call::hold(bool on) {
  if (on != std::exchange(holding_, on)) on_held(on);
  if (!on) stream_.consume(std::exchange(unconsumed_, 0));
}

void Call::cancel() { stream_.reset(http::H2Error::cancel); }

void Call::on_headers(const http::Headers& headers) {
  if (http::find(headers, "grpc-status") != nullptr || has_headers_) {
    status_ = from_trailers(headers);
    has_status_ = true;
  }
  if (!std::exchange(has_headers_, true)) on_metadata(headers);
}

void Call::on_data(base::Pieces pieces) {
  unconsumed_ += pieces.size();
  for (const base::Bytes bytes : pieces) {
    if (broken_) break;
    const Status status = reader_.feed(bytes, *this);
    if (status.ok()) continue;
    broken_ = true;
    on_broken(status);
  }
  if (!holding_) stream_.consume(std::exchange(unconsumed_, 0));
}

void Call::on_end() {
  if (has_status_)
    return cancel();  // the server has said its last word; our side need not end properly
  on_peer_done();
}

void Call::on_close(std::uint32_t error) {
  connection_lost_ = error == static_cast<std::uint32_t>(http::H2Error::connection_lost);
  if (has_status_) {
    on_finished(status_);
  } else if (error != 0) {
    on_finished(from_reset(error));
  } else {
    on_finished({});
  }
}

void ServerCall::accept(const http::Headers& metadata) {
  accepted_ = true;
  http::Headers headers{{":status", "200"}, {"content-type", "application/grpc"}};
  headers.insert(headers.end(), metadata.begin(), metadata.end());
  stream().respond(headers);
}

void ServerCall::finish(const Status& status) {
  if (std::exchange(finishing_, true)) return;
  if (accepted_) return stream().end(to_trailers(status));
  http::Headers refusal{{":status", "200"}, {"content-type", "application/grpc"}};
  for (http::HeaderField& field : to_trailers(status)) refusal.push_back(std::move(field));
  stream().respond_and_end(refusal);
}

http::Headers request_headers(std::string_view path, std::string_view authority,
                              const http::Headers& metadata) {
  http::Headers headers{{":method", "POST"},
                        {":scheme", "https"},
                        {":path", std::string(path)},
                        {":authority", std::string(authority)},
                        {"content-type", "application/grpc"},
                        {"te", "trailers"}};
  headers.insert(headers.end(), metadata.begin(), metadata.end());
  return headers;
}

bool is_grpc_request(const http::Headers& headers) {
  const std::string* method = http::find(headers, ":method");
  const std::string* type = http::find(headers, "content-type");
  return method != nullptr && *method == "POST" && type != nullptr &&
         type->starts_with("application/grpc");
}

}  // namespace grpc
