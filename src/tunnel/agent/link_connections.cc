#include "tunnel/agent/link_connections.h"

#include <algorithm>
#include <utility>

#include "tunnel/agent/connect_stream.h"
#include "tunnel/agent/target_connection.h"

namespace tunnel {
namespace {

async::Task<void> run(std::unique_ptr<TargetConnection> connection) {
  co_return co_await connection->run();
}

}  // namespace

void LinkConnections::detach() {
  stream_ = nullptr;
  for (const auto& [random, connection] : std::exchange(dialing_, {})) connection->cancel_dial();
  for (const auto& [id, connection] : std::exchange(established_, {})) connection->link_lost();
}

void LinkConnections::dial(const Packet& request) {
  context_.metrics.dials.add();
  auto connection = std::make_unique<TargetConnection>(
      context_, *this,
      TargetConnection::Request{.connect_id = ++last_id_,
                                .random = request.random,
                                .target = {.network = std::string(request.protocol),
                                           .address = std::string(request.address),
                                           .id = fmt::format("{:x}", request.random),
                                           .server = server_id_}});
  dialing_.emplace(request.random, connection.get());
  tasks_.spawn("connection", run(std::move(connection)));
}

void LinkConnections::cancel_dial(std::int64_t random) {
  const auto [first, last] = dialing_.equal_range(random);
  for (auto dial = first; dial != last; ++dial) dial->second->cancel_dial();
  dialing_.erase(first, last);
}

TargetConnection* LinkConnections::find(std::int64_t connect_id) const {
  const auto found = established_.find(connect_id);
  return found == established_.end() ? nullptr : found->second;
}

bool LinkConnections::deliver(std::int64_t connect_id, base::Bytes bytes) {
  TargetConnection* connection = find(connect_id);
  if (connection != nullptr) connection->deliver(bytes);
  return connection != nullptr;
}

bool LinkConnections::close(std::int64_t connect_id) {
  TargetConnection* connection = find(connect_id);
  if (connection != nullptr) connection->close();
  return connection != nullptr;
}

void LinkConnections::established(TargetConnection& connection) {
  forget(connection);
  established_[connection.connect_id()] = &connection;
}

void LinkConnections::forget(TargetConnection& connection) {
  const auto is_it = [&](const auto& entry) { return entry.second == &connection; };
  const auto [first, last] = dialing_.equal_range(connection.random());
  if (const auto dial = std::find_if(first, last, is_it); dial != last) dialing_.erase(dial);
  const auto held = established_.find(connection.connect_id());
  if (held != established_.end() && is_it(*held)) established_.erase(held);
}

}  // namespace tunnel
