#include "kube/testing/fake_api_server.h"

#include <algorithm>
#include <utility>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "http/url.h"
#include "kube/json.h"
#include "kube/labels.h"
#include "kube/testing/fake_answers.h"
#include "kube/testing/fake_paths.h"
#include "net/socket_stream.h"

namespace kube::testing {

namespace beast = boost::beast;
using async::Task;
using base::Result;

struct FakeApiServer::Request {
  std::string method;
  std::string target;
  std::string path;
  std::map<std::string, std::string> query;
  std::string authorization;
  std::string body;

  std::string parameter(const std::string& name) const {
    const auto found = query.find(name);
    return found != query.end() ? found->second : "";
  }
  bool selects(const json::object& object) const {
    const auto selector = LabelSelector::parse(parameter("labelSelector"));
    const auto name = parameter("fieldSelector");
    const bool is_named = name.empty() || name == "metadata.name=" + std::string(name_of(object));
    return is_named && selector && selector->matches(labels_of(object));
  }
  json::object body_object() const {
    auto value = parse_json(body);
    return value && value->is_object() ? std::move(value->get_object()) : json::object();
  }
};

struct FakeApiServer::Change {
  std::int64_t version;
  std::string type;
  std::string path;
  json::object object;
};

/// An open watch: the lines that it has not sent yet.
struct FakeApiServer::Watch {
  const Request* request;
  std::string pending;
  bool last = false;

  bool covers(const std::string& path) const { return is_inside(request->path, path); }
};

FakeApiServer::FakeApiServer(async::Loop& loop, async::Clock& clock)
    : clock_(clock), changed_(loop.get_executor()), tasks_(loop.get_executor()) {
  auto listener = net::listen_tcp(loop, clock, "127.0.0.1", 0);
  CHECK(listener.has_value());
  listener_ = std::move(*listener);
  tasks_.spawn("fake api server", accept_loop());
}

FakeApiServer::~FakeApiServer() = default;

async::Awaitable<void> FakeApiServer::stop() {
  listener_->close();
  tasks_.cancel();
  co_await tasks_.join();
}

Config FakeApiServer::config(const std::string& token) const {
  Config config{.source = "fake"};
  config.cluster.server = fmt::format("http://127.0.0.1:{}", port());
  config.user.token.inline_data = token;
  return config;
}

void FakeApiServer::on_post(std::string suffix,
                            std::function<json::object(const json::object&)> handler) {
  posts_.emplace_back(std::move(suffix), std::move(handler));
}

std::size_t FakeApiServer::count_requests(std::string_view beginning) const {
  return static_cast<std::size_t>(std::ranges::count_if(requests_, [&](const SeenRequest& each) {
    return (each.method + " " + each.target).starts_with(beginning);
  }));
}

void FakeApiServer::put(const std::string& collection, json::object object) {
  const auto path = collection + "/" + std::string(name_of(object));
  const bool is_new = !objects_.contains(path);
  if (is_new && text_at(object_at(object, "metadata"), "uid").empty())
    object = as_created(std::move(object), collection, fmt::format("uid-{}", version_ + 1));
  change(is_new ? "ADDED" : "MODIFIED", path, std::move(object));
}

void FakeApiServer::erase(const std::string& path) {
  auto object = objects_.at(path);
  change("DELETED", path, std::move(object));
}

const json::object* FakeApiServer::find(const std::string& path) const {
  const auto found = objects_.find(path);
  return found != objects_.end() ? &found->second : nullptr;
}

void FakeApiServer::change(const char* type, const std::string& path, json::object object) {
  object["metadata"].get_object()["resourceVersion"] = std::to_string(++version_);
  if (std::string_view(type) == "DELETED") {
    objects_.erase(path);
  } else {
    objects_[path] = object;
  }
  for (auto* watch : watches_) {
    if (watch->covers(path) && watch->request->selects(object))
      watch->pending += line_of(type, object);
  }
  history_.push_back({version_, type, path, std::move(object)});
  changed_.notify_all();
}

void FakeApiServer::tell_watches(const std::string& line, bool last) {
  for (auto* watch : watches_) {
    watch->pending += line;
    watch->last = last;
  }
  changed_.notify_all();
}

void FakeApiServer::compact() {
  history_.clear();
  compacted_ = ++version_;
}

void FakeApiServer::send_bookmarks() {
  const json::object metadata{{"resourceVersion", std::to_string(++version_)}};
  tell_watches(line_of("BOOKMARK", {{"kind", "Lease"}, {"metadata", metadata}}), false);
}

void FakeApiServer::expire_watches() {
  tell_watches(line_of("ERROR", status_object(410, "Expired")), true);
}

void FakeApiServer::end_watches() { tell_watches("", true); }

void FakeApiServer::cut_connections() {
  for (auto* each : connections_) each->abort();
}

Task<void> FakeApiServer::accept_loop() {
  for (;;) {
    CO_TRY(auto socket, co_await listener_->accept());
    ++accepted_;
    tasks_.spawn("fake connection", serve(net::make_socket_stream(std::move(socket))));
  }
}

Task<void> FakeApiServer::serve(std::unique_ptr<net::Stream> stream) {
  connections_.push_back(stream.get());
  const std::shared_ptr<void> forget(stream.get(),
                                     [this](void* gone) { std::erase(connections_, gone); });
  std::string buffer;
  std::vector<std::uint8_t> block(16384);
  for (;;) {
    beast::http::request_parser<beast::http::string_body> parser;
    parser.eager(true);
    while (!parser.is_done()) {
      CO_TRY(const auto count, co_await stream->read_some(block));
      if (count == 0) co_return Result<void>{};
      buffer.append(reinterpret_cast<const char*>(block.data()), count);
      beast::error_code error;
      buffer.erase(0, parser.put(boost::asio::buffer(buffer), error));
      if (error && error != beast::http::error::need_more)
        co_return base::fail(base::Code::io, error.message());
    }
    const auto& message = parser.get();
    Request request{.method = std::string(message.method_string()),
                    .target = std::string(message.target()),
                    .authorization = std::string(message[beast::http::field::authorization]),
                    .body = message.body()};
    const auto mark = std::min(request.target.find('?'), request.target.size());
    request.path = http::percent_decode(request.target.substr(0, mark));
    if (mark < request.target.size())
      request.query = parse_query(std::string_view(request.target).substr(mark + 1));
    requests_.push_back(
        {request.method, request.target, request.authorization, request.body, clock_.now()});
    if (!canned_.empty() && canned_.front().hang_up) {
      canned_.pop_front();
      co_return Result<void>{};
    }
    const bool watching = request.parameter("watch") == "true" && canned_.empty();
    auto reply = watching ? refusal_of_watch(request) : answer(request);
    if (reply.empty()) {
      CO_TRY_VOID(co_await serve_watch(*stream, request));
      continue;
    }
    CO_TRY_VOID(co_await stream->write_all(base::as_bytes(reply)));
  }
}

// Why a watch does not begin; "" when it does.
std::string FakeApiServer::refusal_of_watch(const Request& request) const {
  const auto since = request.parameter("resourceVersion");
  if (request.parameter("sendInitialEvents") == "true") {
    return state_by_watch_ == StateByWatch::refused ? failure(422, "Invalid") : "";
  }
  return number(since) < compacted_ ? failure(410, "Expired") : "";
}

// The state as events, and the bookmark that ends it; "" when the watch does not begin with it.
std::string FakeApiServer::state_for(const Request& request) const {
  const bool wanted = request.parameter("sendInitialEvents") == "true";
  if (!wanted || state_by_watch_ != StateByWatch::yes) return "";
  std::string lines;
  for (const auto& [path, object] : objects_) {
    if (is_inside(request.path, path) && request.selects(object)) lines += line_of("ADDED", object);
  }
  const json::object notes{{"k8s.io/initial-events-end", "true"}};
  const json::object metadata{{"resourceVersion", std::to_string(version_)},
                              {"annotations", notes}};
  return lines + line_of("BOOKMARK", {{"kind", "Lease"}, {"metadata", metadata}});
}

Task<void> FakeApiServer::serve_watch(net::Stream& stream, const Request& request) {
  Watch watch{.request = &request, .pending = state_for(request)};
  const bool with_state = !watch.pending.empty();
  const auto since = with_state ? version_ : number(request.parameter("resourceVersion"));
  for (const auto& each : history_) {
    if (each.version > since && watch.covers(each.path) && request.selects(each.object)) {
      watch.pending += line_of(each.type, each.object);
    }
  }
  watches_.push_back(&watch);
  const std::shared_ptr<void> forget(&watch, [this](void* gone) { std::erase(watches_, gone); });
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  CO_TRY_VOID(co_await stream.write_all(base::as_bytes(head)));
  for (;;) {
    if (!watch.pending.empty()) {
      const auto chunk =
          fmt::format("{:x}\r\n{}\r\n", watch.pending.size(), std::exchange(watch.pending, ""));
      CO_TRY_VOID(co_await stream.write_all(base::as_bytes(chunk)));
    } else if (watch.last) {
      co_return co_await stream.write_all(base::as_bytes("0\r\n\r\n"));
    } else {
      CO_TRY_VOID(co_await changed_.wait());
    }
  }
}

std::string FakeApiServer::answer(const Request& request) {
  if (!canned_.empty()) {
    const auto canned = std::move(canned_.front());
    canned_.pop_front();
    return failure(canned.status, canned.reason, canned.extra_fields);
  }
  if (request.method == "POST") return create(request);
  if (request.method == "PUT") return update(request);
  if (request.method == "PATCH") return patch(request);
  if (request.method == "DELETE") return remove(request);
  if (const auto* object = find(request.path)) return http_answer(200, *object);
  const bool collection = request.path.ends_with("s") && !request.path.contains("/leases/");
  return collection ? list(request) : failure(404, "NotFound");
}

// Pages are cut by the path of the next object, as good a token as any.
std::string FakeApiServer::list(const Request& request) {
  const auto limit = static_cast<std::size_t>(number(request.parameter("limit")));
  const bool from_cache = request.parameter("resourceVersion") == "0";
  json::array items;
  json::object metadata{{"resourceVersion", std::to_string(version_)}};
  auto place = objects_.lower_bound(request.parameter("continue"));
  for (; place != objects_.end(); ++place) {
    if (!is_inside(request.path, place->first) || !request.selects(place->second)) continue;
    if (limit > 0 && !from_cache && items.size() == limit) {
      metadata["continue"] = place->first;
      break;
    }
    items.push_back(place->second);
  }
  return http_answer(200, {{"kind", "LeaseList"},
                           {"apiVersion", "coordination.k8s.io/v1"},
                           {"metadata", metadata},
                           {"items", std::move(items)}});
}

std::string FakeApiServer::create(const Request& request) {
  for (const auto& [suffix, handler] : posts_) {
    if (request.path.ends_with(suffix)) return http_answer(201, handler(request.body_object()));
  }
  auto object = request.body_object();
  const auto path = request.path + "/" + std::string(name_of(object));
  if (objects_.contains(path)) return failure(409, "AlreadyExists");
  change("ADDED", path,
         as_created(std::move(object), request.path, fmt::format("uid-{}", version_ + 1)));
  return http_answer(201, objects_.at(path));
}

std::string FakeApiServer::update(const Request& request) {
  const auto target = target_of(request.path);
  const auto* current = find(target.path);
  if (current == nullptr) return failure(404, "NotFound");
  auto object = request.body_object();
  if (resource_version_of(object) != resource_version_of(*current)) return failure(409, "Conflict");
  change("MODIFIED", target.path, as_written(*current, std::move(object), target.part));
  return http_answer(200, objects_.at(target.path));
}

std::string FakeApiServer::patch(const Request& request) {
  const auto target = target_of(request.path);
  const auto* current = find(target.path);
  if (current == nullptr) return failure(404, "NotFound");
  const auto patch = request.body_object();
  const auto guard = resource_version_of(patch);
  if (!guard.empty() && guard != resource_version_of(*current)) return failure(409, "Conflict");
  auto object = *current;
  merge_patch(object, patch);
  change("MODIFIED", target.path, as_written(*current, std::move(object), target.part));
  return http_answer(200, objects_.at(target.path));
}

std::string FakeApiServer::remove(const Request& request) {
  const auto* current = find(request.path);
  if (current == nullptr) return failure(404, "NotFound");
  const auto body = request.body_object();
  const auto wanted = text_at(object_at(body, "preconditions"), "resourceVersion");
  if (!wanted.empty() && wanted != resource_version_of(*current)) return failure(409, "Conflict");
  erase(request.path);
  return http_answer(200, {{"kind", "Status"}, {"status", "Success"}});
}

}  // namespace kube::testing
