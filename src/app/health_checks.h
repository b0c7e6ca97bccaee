#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/routes.h"

namespace app {

/// Named checks behind one path, answered as the health servers of Kubernetes' programs do: "ok",
/// or 500 with a line for each check.
class HealthChecks {
 public:
  using Check = std::function<base::Result<void>()>;

  void add(std::string name, Check check) {
    checks_.push_back({std::move(name), std::move(check)});
  }

  /// `path` answers for all checks but those in `left_out`, `path`/NAME for any one. The object
  /// outlives the routes.
  void serve(http::Routes& routes, const std::string& path,
             const std::vector<std::string>& left_out = {}) const;

 private:
  struct Named {
    std::string name;
    Check check;
  };
  http::ServerResponse answer_all(const http::ServerRequest& request, std::string_view path,
                                  const std::vector<std::string>& left_out) const;

  std::vector<Named> checks_;
};

/// Fails once when the content of the files has changed: kubelets then restart a program that does
/// not re-read them by itself.
class ChangeCheck {
 public:
  explicit ChangeCheck(std::vector<std::string> files) : files_(std::move(files)) {}

  /// Reads the files for the first time.
  base::Result<void> start();
  base::Result<void> check();

 private:
  base::Result<std::size_t> checksum() const;

  std::vector<std::string> files_;
  std::size_t known_ = 0;
};

}  // namespace app
