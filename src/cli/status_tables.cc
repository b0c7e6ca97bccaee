#include "cli/status_tables.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include "cli/human.h"

namespace cli {
namespace {

namespace json = boost::json;
using base::Code;
using base::fail;
using Row = std::vector<std::string>;

constexpr std::int64_t kKnownVersion = 1;

const json::value& member(const json::object& object, std::string_view name) {
  static const json::value kNone;
  const json::value* found = object.if_contains(name);
  return found == nullptr ? kNone : *found;
}

// Of a page that another version of the server may have made: what is missing is empty.
std::string text(const json::object& object, std::string_view name) {
  const json::value& value = member(object, name);
  return value.is_string() ? printable(value.get_string()) : "";
}

double number(const json::object& object, std::string_view name) {
  boost::system::error_code error;
  const auto value = member(object, name).to_number<double>(error);
  return error ? 0 : value;
}

std::string count(const json::object& object, std::string_view name) {
  return fmt::format("{:.0f}", number(object, name));
}

std::string bytes(const json::object& object, std::string_view name) {
  return human_bytes(number(object, name));
}

std::string age(const json::object& object, std::string_view name) {
  return human_duration(number(object, name));
}

std::vector<const json::object*> objects(const json::object& object, std::string_view name) {
  std::vector<const json::object*> all;
  const json::value& list = member(object, name);
  if (!list.is_array()) return all;
  for (const json::value& each : list.get_array())
    if (each.is_object()) all.push_back(&each.get_object());
  return all;
}

std::vector<std::string> texts(const json::object& object, std::string_view name) {
  std::vector<std::string> all;
  const json::value& list = member(object, name);
  if (!list.is_array()) return all;
  for (const json::value& each : list.get_array())
    if (each.is_string()) all.push_back(printable(each.get_string()));
  return all;
}

std::string last_error(const json::object& object) {
  const json::value& error = member(object, "lastError");
  return error.is_object() ? text(error.get_object(), "text") : "";
}

std::string round_trip(const json::object& link) {
  if (member(link, "roundTripSeconds").is_null()) return "-";
  return human_duration(number(link, "roundTripSeconds"), true);
}

// The least of its links, and the oldest: what the cluster has.
std::string best_round_trip(const json::object& cluster) {
  std::optional<double> best;
  for (const json::object* link : objects(cluster, "links")) {
    if (member(*link, "roundTripSeconds").is_null()) continue;
    const double each = number(*link, "roundTripSeconds");
    best = std::min(best.value_or(each), each);
  }
  return best ? human_duration(*best, true) : "-";
}

std::string oldest(const json::object& cluster) {
  double most = 0;
  for (const json::object* link : objects(cluster, "links"))
    most = std::max(most, number(*link, "ageSeconds"));
  return human_duration(most);
}

std::string seen(const json::object& cluster) {
  return age(cluster, "lastSeenSecondsAgo") + " ago";
}

Row cluster_row(const json::object& cluster) {
  const bool gone = text(cluster, "state") == "gone";
  return {text(cluster, "name"),
          text(cluster, "state"),
          count(cluster, "agents"),
          fmt::to_string(objects(cluster, "links").size()),
          count(cluster, "openConnections"),
          bytes(cluster, "bytesToAgents"),
          bytes(cluster, "bytesFromAgents"),
          best_round_trip(cluster),
          gone ? "-" : oldest(cluster),
          gone ? seen(cluster) : "now"};
}

std::string state_of(const json::object& link) {
  const auto is = [&](std::string_view name) {
    const json::value& value = member(link, name);
    return value.is_bool() && value.get_bool();
  };
  return is("silent") ? "silent" : is("draining") ? "draining" : "connected";
}

Row link_row(const json::object& cluster, const json::object& link) {
  return {text(cluster, "name"),
          state_of(link),
          text(link, "agent"),
          text(link, "kind"),
          text(link, "from"),
          count(link, "openConnections"),
          count(link, "dials"),
          count(link, "failedDials"),
          bytes(link, "bytesToAgent"),
          bytes(link, "bytesFromAgent"),
          round_trip(link),
          age(link, "ageSeconds"),
          fmt::format("{}", fmt::join(texts(cluster, "identifiers"), "&")),
          last_error(link)};
}

Row gone_row(const json::object& cluster) {
  return {text(cluster, "name"),
          "gone " + age(cluster, "lastSeenSecondsAgo"),
          text(cluster, "lastAgent"),
          "-",
          text(cluster, "lastSeenFrom"),
          "-",
          "-",
          "-",
          "-",
          "-",
          "-",
          "-",
          "-",
          last_error(cluster)};
}

/// What a connection carried in the time between two pages.
class Rates {
 public:
  Rates(const json::object& page, const json::object* before) {
    if (before == nullptr) return;
    seconds_ = uptime(page) - uptime(*before);
    for (const json::object* each : objects(*before, "connections"))
      earlier_.emplace(text(*each, "id"), each);
  }

  bool known() const { return seconds_ > 0; }
  double of(const json::object& connection, std::string_view name) const {
    const auto found = earlier_.find(text(connection, "id"));
    if (!known() || found == earlier_.end()) return 0;
    return std::max(0.0, number(connection, name) - number(*found->second, name)) / seconds_;
  }
  double both(const json::object& connection) const {
    return of(connection, "bytesToAgent") + of(connection, "bytesFromAgent");
  }

 private:
  static double uptime(const json::object& page) {
    const json::value& server = member(page, "server");
    return server.is_object() ? number(server.get_object(), "uptimeSeconds") : 0;
  }
  double seconds_ = 0;
  std::map<std::string, const json::object*> earlier_;
};

Row connection_row(const json::object& connection, const Rates& rates) {
  const auto rate = [&](std::string_view name) {
    return rates.known() ? human_bytes(rates.of(connection, name)) + "/s" : std::string("-");
  };
  return {text(connection, "id"),
          text(connection, "cluster"),
          text(connection, "target"),
          text(connection, "state"),
          rate("bytesToAgent"),
          rate("bytesFromAgent"),
          bytes(connection, "bytesToAgent"),
          bytes(connection, "bytesFromAgent"),
          age(connection, "ageSeconds"),
          text(connection, "client")};
}

// Without an exponent, of which readers of YAML make a text.
std::string plain_number(double value) {
  std::string text = fmt::format("{:.9f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text += '0';
  return text;
}

YAML::Node yaml(const json::value& value) {
  YAML::Node node;
  if (const auto* object = value.if_object()) {
    node = YAML::Node(YAML::NodeType::Map);
    for (const auto& each : *object) node[std::string(each.key())] = yaml(each.value());
  } else if (const auto* list = value.if_array()) {
    node = YAML::Node(YAML::NodeType::Sequence);
    for (const auto& each : *list) node.push_back(yaml(each));
  } else if (const auto* string = value.if_string()) {
    node = std::string(*string);
  } else if (const auto* number = value.if_double()) {
    node = YAML::Load(plain_number(*number));
  } else if (!value.is_null()) {
    node = YAML::Load(json::serialize(value));
  }
  return node;
}

}  // namespace

base::Result<json::object> parse_status(std::string_view text) {
  boost::system::error_code error;
  json::value page = json::parse(text, error);
  if (error || !page.is_object() || !member(page.get_object(), "version").is_int64())
    return fail(Code::invalid, "the answer is no status page of a cluster-proxy server");
  const std::int64_t version = member(page.get_object(), "version").get_int64();
  if (version != kKnownVersion) {
    return fail(Code::invalid,
                fmt::format("the server's status page is of version {}, this program knows {}: use "
                            "programs of one version, or -o json",
                            version, kKnownVersion));
  }
  return std::move(page.get_object());
}

base::Result<void> keep_clusters(json::object& page, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  json::array kept;
  std::vector<std::string> known;
  for (const json::object* cluster : objects(page, "clusters")) {
    known.push_back(text(*cluster, "name"));
    if (std::ranges::count(names, known.back()) > 0) kept.emplace_back(*cluster);
  }
  for (const std::string& name : names) {
    if (std::ranges::count(known, name) > 0) continue;
    return fail(
        Code::not_found,
        fmt::format("no agent of cluster \"{}\" was connected since the server started; "
                    "known are: {}",
                    name, known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  json::array connections;
  for (const json::object* each : objects(page, "connections"))
    if (std::ranges::count(names, text(*each, "cluster")) > 0) connections.emplace_back(*each);
  page["clusters"] = std::move(kept);
  page["connections"] = std::move(connections);
  return {};
}

std::vector<std::string> absences(const json::object& page) {
  std::vector<std::string> all;
  for (const json::object* cluster : objects(page, "clusters")) {
    if (text(*cluster, "state") != "gone") continue;
    const std::string error = last_error(*cluster);
    all.push_back(fmt::format(
        "cluster \"{}\" is not connected: its agent \"{}\" was last seen {}, from {}{}; look at "
        "that agent's log, and whether it still reaches this server",
        text(*cluster, "name"), text(*cluster, "lastAgent"), seen(*cluster),
        text(*cluster, "lastSeenFrom"), error.empty() ? "" : " (" + error + ")"));
  }
  return all;
}

std::string cluster_table(const json::object& page) {
  std::vector<Row> rows = {{"CLUSTER", "STATE", "AGENTS", "LINKS", "CONNECTIONS", "SENT",
                            "RECEIVED", "RTT", "AGE", "LAST SEEN"}};
  for (const json::object* cluster : objects(page, "clusters"))
    rows.push_back(cluster_row(*cluster));
  if (rows.size() == 1) return "No agent was connected since the server started.\n";
  return text_table(rows);
}

std::string link_table(const json::object& page) {
  std::vector<Row> rows = {{"CLUSTER", "STATE", "AGENT", "LINK", "FROM", "CONNECTIONS", "DIALS",
                            "FAILED", "SENT", "RECEIVED", "RTT", "AGE", "IDENTIFIERS",
                            "LAST ERROR"}};
  for (const json::object* cluster : objects(page, "clusters")) {
    const auto links = objects(*cluster, "links");
    for (const json::object* link : links) rows.push_back(link_row(*cluster, *link));
    if (links.empty()) rows.push_back(gone_row(*cluster));
  }
  if (rows.size() == 1) return "No agent was connected since the server started.\n";
  return text_table(rows);
}

std::string connection_table(const json::object& page, const json::object* before) {
  auto connections = objects(page, "connections");
  const Rates rates(page, before);
  std::ranges::sort(connections, std::ranges::greater(), [&](const json::object* each) {
    return std::pair(rates.both(*each),
                     number(*each, "bytesToAgent") + number(*each, "bytesFromAgent"));
  });
  std::vector<Row> rows = {{"CONNECTION", "CLUSTER", "TARGET", "STATE", "UP", "DOWN", "SENT",
                            "RECEIVED", "AGE", "CLIENT"}};
  for (const json::object* each : connections) rows.push_back(connection_row(*each, rates));
  return fmt::format("{} of {} connections\n{}", connections.size(),
                     count(page, "connectionsTotal"), connections.empty() ? "" : text_table(rows));
}

std::string to_yaml(const json::value& value) {
  YAML::Emitter out;
  out << yaml(value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace cli
