#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "addon/agent_values.h"
#include "addon/object.h"
#include "addon/proxy_configuration.h"
#include "addon/tls_profile.h"

namespace golden {

namespace json = kube::json;

/// One recorded stage of a case: what the reference had read, and what it had written.
class Stage {
 public:
  Stage(std::string name, json::object content);

  const std::string& name() const { return name_; }
  const json::object& content() const { return content_; }
  std::vector<json::object> objects(std::string_view kind) const;

  /// Nothing when there is no configuration, or one that we refuse.
  std::optional<addon::ProxyConfiguration> configuration() const;
  /// As addon::validate() gives them; empty without a configuration.
  std::vector<std::string> problems() const;
  addon::AgentOptions agent_options() const;
  addon::TlsProfile tls() const;
  std::string ca_pem() const;
  /// Whether the authority is known. Otherwise words stand for it, and nothing can be hashed.
  bool has_ca() const;
  /// Computed, or as recorded where the authority is not known.
  std::string organizational_unit() const;
  std::string load_balancer_address() const;
  const json::object* load_balancer() const;

  const json::object* managed_cluster(std::string_view name) const;
  const json::object* find_config(std::string_view resource, std::string_view in_namespace,
                                  std::string_view name) const;
  const json::object* optional_object(const char* name) const;

 private:
  bool argument(std::string_view flag) const;
  std::string argument_text(std::string_view flag) const;
  const json::object* find(const char* kind, std::string_view in_namespace,
                           std::string_view name) const;

  std::string name_;
  json::object content_;
};

std::vector<Stage> read_stages();

}  // namespace golden
