// How requests travel: one HTTP/2 connection for all, and what becomes of it.
#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>

#include "async/task_group.h"
#include "check_context.h"
#include "http/url.h"
#include "kube/process.h"
#include "kube/reflector.h"

namespace kube_check {
namespace {

using Ports = std::set<std::string>;

/// The local ports of this process's connections to the API server, as ss sees them.
Task<Ports> connections(Context& context) {
  CO_TRY(const auto url, http::parse_url(context.admin.cluster.server));
  const std::vector<std::string> args{"-Htnp", "state", "established", "dst", url.origin.address()};
  CO_TRY(const auto lines, co_await kube::run_command({.program = "ss", .args = args}));
  const auto own = fmt::format("pid={},", ::getpid());
  Ports ports;
  std::istringstream text(lines);
  for (std::string line; std::getline(text, line);) {
    std::istringstream fields(line);
    std::string received, sent, local;
    fields >> received >> sent >> local;
    if (line.contains(own)) ports.insert(local.substr(local.rfind(':') + 1));
  }
  co_return ports;
}

/// Those that were not there `before`.
Task<Ports> new_connections(Context& context, Ports before) {
  CO_TRY(auto now, co_await connections(context));
  for (const auto& port : before) now.erase(port);
  co_return now;
}

class Names : public kube::WatchHandler {
 public:
  void replace(std::vector<kube::json::object> objects) override {
    names.clear();
    for (auto& object : objects) apply(std::move(object));
  }
  void apply(kube::json::object object) override { names.emplace(kube::name_of(object)); }
  void remove(const kube::json::object& object) override {
    names.erase(std::string(kube::name_of(object)));
  }
  std::set<std::string> names;
};

/// So many reflectors of config maps on one client.
class Watches {
 public:
  Watches(Context& context, kube::Client& client, std::size_t count)
      : names_(count), tasks_(context.loop.get_executor()) {
    for (auto& handler : names_) {
      reflectors_.push_back(
          std::make_unique<kube::Reflector>(client, context.api("", "v1", "configmaps"), handler,
                                            nullptr, kube::Reflector::Options{}));
      tasks_.spawn("watch", reflectors_.back()->run());
    }
  }
  bool all_synced() const {
    return std::ranges::all_of(reflectors_, [](const auto& each) { return each->synced(); });
  }
  bool all_have(const std::string& name) const {
    return std::ranges::all_of(names_, [&](const auto& each) { return each.names.contains(name); });
  }
  async::Awaitable<void> stop() {
    tasks_.cancel();
    co_await tasks_.join();
  }

 private:
  std::vector<Names> names_;
  std::vector<std::unique_ptr<kube::Reflector>> reflectors_;
  async::TaskGroup tasks_;
};

Task<void> follow_one_connection(Context& context, kube::Client& client, Watches& watches,
                                 Ports before) {
  CO_TRY_VOID(co_await eventually(context, "20 watches", [&] { return watches.all_synced(); }));
  const auto maps = context.api("", "v1", "configmaps");
  for (int i = 0; i < 10; ++i) {
    CO_TRY_VOID(co_await client.send(maps.create(named(fmt::format("shared-{}", i)))));
  }
  CO_TRY_VOID(co_await eventually(context, "all changes at all watches",
                                  [&] { return watches.all_have("shared-9"); }));
  CO_TRY(const auto used, co_await new_connections(context, std::move(before)));
  if (used.size() == 1) co_return kube::Result<void>{};
  co_return wrong(fmt::format("{} connections instead of one", used.size()));
}

Task<void> many_watches(Context& context) {
  CO_TRY(auto before, co_await connections(context));
  CO_TRY(const auto client, context.connect(context.admin));
  Watches watches(context, *client, 20);
  const auto followed =
      co_await follow_one_connection(context, *client, watches, std::move(before));
  co_await watches.stop();
  co_return followed;
}

/// More than the window of a stream goes to a watch that is not read, while others do their work.
Task<void> unread_watch(Context& context) {
  const auto maps = context.api("", "v1", "configmaps");
  CO_TRY(const auto client, context.connect(context.admin));
  CO_TRY(auto unread, co_await client->open(maps.watch()));
  const kube::json::object data{{"filling", std::string(900 * 1024, 'x')}};
  std::size_t written = 0;
  for (int i = 0; i < 5; ++i) {
    auto object = named(fmt::format("filling-{}", i));
    object["data"] = data;
    CO_TRY_VOID(co_await client->send(maps.create(object)));
    written += data.at("filling").as_string().size();
  }
  for (int i = 0; i < 5; ++i) {
    CO_TRY_VOID(co_await client->send(maps.get(fmt::format("filling-{}", i))));
  }
  std::size_t seen = 0;
  while (seen < written) {
    CO_TRY(const auto part, co_await unread.read_part());
    if (part.empty()) co_return wrong(fmt::format("the watch ended after {} bytes", seen));
    seen += part.size();
  }
  for (int i = 0; i < 5; ++i) {
    CO_TRY_VOID(co_await client->send(maps.remove(fmt::format("filling-{}", i))));
  }
  co_return kube::Result<void>{};
}

/// New client certificate files: the next requests are somebody else's, on a new connection.
Task<void> certificate_files(Context& context) {
  namespace fs = std::filesystem;
  const auto pki = fs::path(context.admin.source).parent_path() / "pki";
  const auto folder = fs::temp_directory_path() / context.space;
  fs::create_directory(folder);
  const std::shared_ptr<void> clean_up(nullptr, [folder](void*) { fs::remove_all(folder); });
  const auto use = [&](const char* name) {
    for (const auto* kind : {".crt", ".key"}) {
      fs::copy_file(pki / (std::string(name) + kind), folder / (std::string("tls") + kind),
                    fs::copy_options::overwrite_existing);
    }
  };
  use("admin");
  auto config = context.admin;
  config.user = {.client_certificate = {.file = folder / "tls.crt"},
                 .client_key = {.file = folder / "tls.key"}};
  CO_TRY(const auto client, context.connect(config));
  CO_TRY(const auto first, co_await who_am_i(*client));
  use("kubelet-client");
  const auto deadline = context.clock.now() + std::chrono::seconds(30);
  for (;;) {
    CO_TRY(const auto next, co_await who_am_i(*client));
    if (next == "kube-apiserver-kubelet-client" && first == "admin") break;
    if (context.clock.now() > deadline)
      co_return wrong(fmt::format("seen as {} and then {}", first, next));
    CO_TRY_VOID(co_await context.clock.sleep_for(std::chrono::milliseconds(200)));
  }
  co_return kube::Result<void>{};
}

Task<void> requests_across_goaways(Context& context, kube::Client& client, Watches& watches,
                                   Ports before) {
  CO_TRY_VOID(co_await eventually(context, "10 watches", [&] { return watches.all_synced(); }));
  const auto maps = context.api("", "v1", "configmaps");
  Ports used;
  for (int i = 0; i < 600; ++i) {
    const auto name = fmt::format("goaway-{}", i);
    CO_TRY_VOID(co_await client.send(maps.create(named(name))));
    CO_TRY_VOID(co_await client.send(maps.remove(name)));
    if (i % 20 != 0) continue;
    CO_TRY(auto now, co_await new_connections(context, before));
    used.merge(now);
  }
  CO_TRY_VOID(co_await client.send(maps.create(named("goaway-last"))));
  CO_TRY_VOID(co_await eventually(context, "the last object at all watches",
                                  [&] { return watches.all_have("goaway-last"); }));
  if (used.size() < 2) co_return wrong("the API server sent no GOAWAY");
  fmt::print("     1200 writes and 10 watches went over {} connections or more\n", used.size());
  co_return kube::Result<void>{};
}

}  // namespace

Task<void> check_goaway(Context& context) {
  CO_TRY(auto before, co_await connections(context));
  CO_TRY(const auto client, context.connect(context.admin));
  Watches watches(context, *client, 10);
  const auto done = co_await requests_across_goaways(context, *client, watches, std::move(before));
  co_await watches.stop();
  co_return done;
}

const std::vector<Check> kConnectionChecks = {
    {"20 watches and requests on one connection", many_watches},
    {"watch that is not read stops no other", unread_watch},
    {"new certificate files lead to a new connection", certificate_files},
};

}  // namespace kube_check
