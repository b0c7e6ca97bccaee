#include "app/doctor_files.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pki/certificate.h"
#include "pki/identity.h"
#include "pki/pem.h"

namespace app {
namespace {

namespace json = boost::json;
using base::Result;
using std::chrono::hours;
using Role = Examination::Role;
using Time = std::chrono::system_clock::time_point;
using Verdict = Finding::Verdict;

constexpr auto kDay = hours(24);
constexpr auto kSoon = 30 * kDay;

Finding failed(std::string step, std::string text, std::string advice) {
  return {std::move(step), Verdict::failed, std::move(text), std::move(advice)};
}

Finding judge_dates(const pki::Certificate& certificate, const std::string& file, Time now) {
  const auto day = [](Time time) {
    return fmt::format("{:%F}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
  };
  const std::string& who = certificate.subject.text;
  if (now >= certificate.not_after) {
    return failed("certificate",
                  fmt::format("{} ({}) ended {}", file, who, day(certificate.not_after)),
                  "renew it; programs take the new file by themselves");
  }
  if (now < certificate.not_before) {
    return failed("certificate",
                  fmt::format("{} ({}) begins {}", file, who, day(certificate.not_before)),
                  "check the clock of this machine, and of the one that issued it");
  }
  const auto left = (certificate.not_after - now) / kDay;
  if (certificate.not_after - now < kSoon) {
    return {"certificate", Verdict::warning,
            fmt::format("{} ({}) ends in {} days", file, who, left), "renew it in time"};
  }
  return {"certificate", Verdict::good, fmt::format("{} ({}), {} days left", file, who, left), ""};
}

// What a certificate is for decides which port it opens.
std::vector<Finding> judge_use(const pki::Certificate& certificate, Role role) {
  std::vector<Finding> findings;
  const auto& usages = certificate.extended_key_usages;
  if (!usages.empty() && std::ranges::count(usages, pki::ExtendedKeyUsage::client_auth) == 0) {
    findings.push_back(failed("certificate", "it is for servers, not for those who dial them",
                              "give one with the usage clientAuth"));
  }
  const auto clusters = pki::clusters_named(certificate.alt_names.uris);
  if (role == Role::client && !clusters.empty()) {
    findings.push_back(failed(
        "certificate",
        fmt::format("it is that of an agent, of cluster {}", fmt::join(clusters, ", ")),
        "agents' certificates open no frontend: give a client's (cluster-proxy pki issue client)"));
  }
  if (role == Role::agent) {
    if (clusters.empty()) {
      findings.push_back({"certificate", Verdict::warning, "it names no cluster",
                          "a server with --cluster-identity=enforce refuses it: issue one with "
                          "cluster-proxy pki issue agent"});
    } else {
      findings.push_back({"certificate", Verdict::good,
                          fmt::format("it is for cluster {}", fmt::join(clusters, ", ")), ""});
    }
  }
  return findings;
}

std::vector<Finding> examine_identity(const Examination& examination, Time now) {
  const std::string& file = examination.way.files.certificate;
  const std::string& key_file = examination.way.files.key;
  const std::string advice = "check the path, and who may read it (ls -l)";
  if (file.empty()) {
    return {{"files", Verdict::warning, "no certificate is given",
             "servers mostly ask for one: --client-cert and --client-key"}};
  }
  const auto pem = pki::read_file(file);
  if (!pem) return {failed("files", fmt::format("{}: {}", file, pem.error().message), advice)};
  const auto key = pki::read_file(key_file);
  if (!key) return {failed("files", fmt::format("{}: {}", key_file, key.error().message), advice)};
  if (const auto fits = pki::check_key_pair(*pem, *key); !fits) {
    return {failed("files", fmt::format("{} and {}: {}", file, key_file, fits.error().message),
                   "give a certificate and its own key, both PEM")};
  }
  const auto certificate = pki::decode_certificate(*pem);
  if (!certificate) return {failed("files", certificate.error().message, advice)};
  std::vector<Finding> findings = {
      {"files", Verdict::good, fmt::format("{} and {} belong together", file, key_file), ""},
      judge_dates(*certificate, file, now)};
  std::ranges::move(judge_use(*certificate, examination.role), std::back_inserter(findings));
  return findings;
}

Finding examine_authorities(const Examination& examination) {
  const std::string& file = examination.way.files.ca;
  if (file.empty()) {
    return {"files", Verdict::warning, "no CA file is given: the system's authorities are trusted",
            "give the authority of the server: --ca-cert"};
  }
  const auto pem = pki::read_file(file);
  const auto bundle =
      pem ? pki::parse_ca_bundle(*pem) : Result<std::string>(base::fail(pem.error()));
  if (bundle)
    return {"files", Verdict::good, fmt::format("{} holds certificates to trust", file), ""};
  return failed("files", fmt::format("{}: {}", file, bundle.error().message),
                "give the PEM certificates of the authorities to trust");
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

}  // namespace

std::vector<Finding> examine_files(const Examination& examination, Time now) {
  std::vector<Finding> findings = {examine_authorities(examination)};
  std::ranges::move(examine_identity(examination, now), std::back_inserter(findings));
  return findings;
}

Finding judge_clusters(std::string_view page, const std::string& cluster) {
  boost::system::error_code error;
  const json::value parsed = json::parse(page, error);
  const json::object* root = error ? nullptr : parsed.if_object();
  const json::value* list = root == nullptr ? nullptr : root->if_contains("clusters");
  if (list == nullptr || !list->is_array())
    return failed("agents", "the admin port gives no status page", "is it that of our server?");
  std::vector<std::string> connected;
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) continue;
    const std::string name = text_at(each.get_object(), "name");
    const bool gone = text_at(each.get_object(), "state") == "gone";
    if (!gone) connected.push_back(name);
    if (gone && name == cluster) {
      return failed("agents",
                    fmt::format("cluster {} is gone: its agent was last seen at {}, from {}", name,
                                text_at(each.get_object(), "lastSeen"),
                                text_at(each.get_object(), "lastSeenFrom")),
                    "look at that agent's log, and run cluster-proxy doctor --agent there");
    }
  }
  if (connected.empty()) {
    return failed("agents", "no agent is connected to the server",
                  "run cluster-proxy doctor --agent on the agent's machine");
  }
  const std::string all = fmt::format("{}", fmt::join(connected, ", "));
  if (cluster.empty() || std::ranges::count(connected, cluster) > 0)
    return {"agents", Verdict::good, fmt::format("connected: {}", all), ""};
  return failed("agents", fmt::format("cluster {} is not among those connected: {}", cluster, all),
                "correct the name, or run cluster-proxy doctor --agent on its machine");
}

std::string_view handshake_advice(std::string_view error) {
  if (error.contains("does not speak TLS"))
    return "this is no port of a tunnel server (agents come to --agent-port, clients to "
           "--server-port), or one without TLS: then give --plaintext";
  if (error.contains(" alert ")) {
    return "the server refuses this certificate: it must be of an authority in the server's "
           "--server-ca-cert (for agents --cluster-ca-cert), and in time by the server's clock";
  }
  return "the server's certificate must be of an authority in the CA file, in time, and good for "
         "the name; --tls-server-name sets another. If the server hung up, it may not trust this "
         "certificate: look at its log";
}

Finding judge_failure(const tunnel::client::DialError& error, const std::string& target) {
  using tunnel::client::Failure;
  switch (error.kind) {
    case Failure::no_agent:
      return failed("target", fmt::format("no agent serves {}", target),
                    "cluster-proxy status on the server's machine tells which clusters are "
                    "connected, and which names they have; the host of the target must be one of "
                    "them");
    case Failure::not_allowed:
      return failed("target", error.message,
                    "change the rule that the text names, if you should go there");
    case Failure::not_resolved:
      return failed("target", error.message,
                    "the agent's machine knows no such name: look at its DNS and its hosts file");
    case Failure::refused:
      return failed("target", error.message,
                    "the tunnel works; nothing listens at the target, or it is another port");
    case Failure::bad_target:
      return failed("target", error.message, "correct the target");
    case Failure::protocol:
      return failed("target", error.message,
                    "this is no frontend: is it the port of agents, or of something else?");
    case Failure::server_gone:
      return failed("target", error.message, "the server hung up: look at its log");
    default:
      return failed("target", error.message,
                    "the tunnel works up to the agent: look at its log, and whether its machine "
                    "reaches the target");
  }
}

}  // namespace app
