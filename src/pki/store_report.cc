#include <algorithm>
#include <ctime>

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pki/store.h"

namespace pki {
namespace {

namespace json = boost::json;
using std::chrono::hours;
using Time = Store::Time;

constexpr auto kDay = hours(24);
constexpr auto kSoon = kDay * 30;

std::string utc(Time time) {
  return fmt::format("{:%F %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string rfc3339(Time time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::int64_t days(Time::duration duration) { return std::chrono::floor<hours>(duration) / kDay; }

std::string_view state_of(const StoredCertificate& found, Time now) {
  if (!found.problem.empty()) return "unreadable";
  if (now >= found.certificate.not_after) return "expired";
  if (now < found.certificate.not_before) return "not-yet-valid";
  return "valid";
}

std::string purpose(const StoredCertificate& found) {
  const AltNames& names = found.certificate.alt_names;
  std::vector<std::string> hosts = names.dns;
  hosts.insert(hosts.end(), names.ips.begin(), names.ips.end());
  switch (found.role) {
    case Role::authority:
      return "signing certificates";
    case Role::server:
      return fmt::format("a server known as {}", fmt::join(hosts, ", "));
    case Role::agent:
      return fmt::format("agents of cluster {}", fmt::join(found.clusters, ", "));
    case Role::client:
      return fmt::format("the client {}", found.certificate.subject.common_name);
    case Role::other:
      return "nothing of ours";
  }
  return "";
}

std::string validity(const StoredCertificate& found, Time now) {
  const Certificate& certificate = found.certificate;
  const std::string range =
      fmt::format("{} to {}", utc(certificate.not_before), utc(certificate.not_after));
  if (now < certificate.not_before) return range + ": NOT YET VALID; check this machine's clock";
  const bool authority = found.role == Role::authority;
  const std::string renew = authority
                                ? "make a new authority in time"
                                : fmt::format("renew it: cluster-proxy pki renew {}", found.name);
  if (now >= certificate.not_after) {
    return fmt::format("{}: EXPIRED {} days ago; {}", range, days(now - certificate.not_after),
                       renew);
  }
  const auto left = certificate.not_after - now;
  const std::string warning = left < kSoon ? "; " + renew : "";
  return fmt::format("{}, {} days left{}", range, days(left), warning);
}

std::string key_line(const StoredCertificate& found) {
  if (!found.key_fits) return "not here";
  if (*found.key_fits) return fmt::format("{}.key", found.name);
  return fmt::format("{}.key DOES NOT FIT the certificate; renew it: cluster-proxy pki renew {}",
                     found.name, found.name);
}

std::string paragraph(const StoredCertificate& found, Time now) {
  if (!found.problem.empty())
    return fmt::format("{}.crt\n  CANNOT BE READ: {}\n", found.name, found.problem);
  std::string text = fmt::format("{}.crt\n  for      {}\n  subject  {}\n", found.name,
                                 purpose(found), found.certificate.subject.text);
  if (found.role != Role::authority) {
    text += fmt::format("  issuer   {}{}\n", found.certificate.issuer.text,
                        found.by_authority ? "" : ", NOT this folder's authority");
  }
  return text +
         fmt::format("  valid    {}\n  key      {}\n", validity(found, now), key_line(found));
}

json::array texts(const std::vector<std::string>& values) {
  return json::array(values.begin(), values.end());
}

json::object object(const StoredCertificate& found, Time now) {
  const Certificate& certificate = found.certificate;
  json::object made{{"name", found.name}, {"state", std::string(state_of(found, now))}};
  if (!found.problem.empty()) {
    made["problem"] = found.problem;
    return made;
  }
  made["role"] = std::string(to_string(found.role));
  made["subject"] = certificate.subject.text;
  made["issuer"] = certificate.issuer.text;
  made["serial"] = certificate.serial;
  made["clusters"] = texts(found.clusters);
  made["dnsNames"] = texts(certificate.alt_names.dns);
  made["ipAddresses"] = texts(certificate.alt_names.ips);
  made["uris"] = texts(certificate.alt_names.uris);
  made["notBefore"] = rfc3339(certificate.not_before);
  made["notAfter"] = rfc3339(certificate.not_after);
  made["daysLeft"] = days(certificate.not_after - now);
  made["byAuthority"] = found.by_authority;
  made["keyFits"] = found.key_fits ? json::value(*found.key_fits) : json::value(nullptr);
  return made;
}

}  // namespace

std::string describe(const std::vector<StoredCertificate>& certificates, Time now) {
  std::string text;
  for (const StoredCertificate& found : certificates) {
    if (!text.empty()) text += '\n';
    text += paragraph(found, now);
  }
  return text;
}

std::string describe_json(const std::vector<StoredCertificate>& certificates, Time now) {
  json::array all;
  for (const StoredCertificate& found : certificates) all.push_back(object(found, now));
  return json::serialize(all) + "\n";
}

}  // namespace pki
