#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/stat.h>

#include <fmt/format.h>

#include "async/clock.h"
#include "async/task.h"
#include "kube/client.h"
#include "kube/request.h"

namespace kube_check {

using kube::Task;

/// What the checks share: a client with all rights, and a namespace of their own on a real API
/// server.
struct Context {
  async::Loop& loop;
  async::Clock& clock;
  kube::Config admin;
  std::string space;  // the namespace
  std::string etcd;   // the URL of the API server's etcd
  std::unique_ptr<kube::Client> client;

  kube::Api api(const char* group, const char* version, const char* plural) const {
    return {{group, version, plural}, space};
  }
  kube::Api leases() const { return api("coordination.k8s.io", "v1", "leases"); }
  /// A client that may send as fast as it likes.
  kube::Result<std::unique_ptr<kube::Client>> connect(kube::Config config) const;
};

inline std::unexpected<kube::Error> wrong(std::string what) {
  return std::unexpected(kube::Error(base::Code::internal, std::move(what)));
}

/// Looks every few milliseconds until `condition` holds; an error that names `what` after ten
/// seconds.
Task<void> eventually(Context& context, std::string what, std::function<bool()> condition);

kube::json::object named(std::string_view name);

/// Makes service account `name` and gives a token of it for `audience` ("" = the API server).
Task<std::string> service_account_token(Context& context, std::string name, std::string audience);

/// The user name that the API server sees behind `client`.
Task<std::string> who_am_i(kube::Client& client);

/// A folder for the files of one check.
class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "kube-check-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const char* name, const std::string& text) const {
    const auto path = path_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// An error unless the API server sees `wanted` behind `config`.
Task<void> expect_user(Context& context, kube::Config config, std::string wanted);

/// The API server as it is known to `context`, and nobody.
kube::Config without_user(const Context& context);

struct Check {
  const char* name;
  Task<void> (*run)(Context&);
};

extern const std::vector<Check> kCredentialChecks;
extern const std::vector<Check> kConfigChecks;
extern const std::vector<Check> kObjectChecks;
extern const std::vector<Check> kLeaseChecks;
extern const std::vector<Check> kApiChecks;
extern const std::vector<Check> kConnectionChecks;
extern const std::vector<Check> kElectionChecks;

/// A reflector lives through the restart of the API server, which its caller performs: says "ready
/// to restart" on standard output, then waits for a lease called "after" and for what must have
/// happened.
Task<void> check_restart(Context& context);
/// Requests and watches while the API server sends GOAWAY every now and then (--goaway-chance).
Task<void> check_goaway(Context& context);
/// How much memory 1,000 objects take, by a list and by a watch; prints VmRSS.
Task<void> measure_memory(Context& context);

}  // namespace kube_check
