#include "addon/certificate_pacing.h"

#include <algorithm>

namespace addon {

CertificatePacing::Time CertificatePacing::Cluster::busy_until() const {
  return reacted >= answered ? Time() : answered + kReaction;
}

void CertificatePacing::answered(const std::string& cluster, std::string_view signer, Time now) {
  clusters_[cluster].answered = now;
  clusters_[cluster].signer = signer;
}

void CertificatePacing::asked(const std::string& cluster, std::string_view signer, Time now) {
  const auto found = clusters_.find(cluster);
  if (found != clusters_.end() && found->second.signer == signer) found->second.reacted = now;
}

async::Duration CertificatePacing::before_answer(const std::string& cluster, Time since,
                                                 Time now) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return async::Duration::zero();
  const auto calm = std::max(found->second.calm, found->second.busy_until());
  return std::max(std::min(calm, since + kPatience) - now, async::Duration::zero());
}

async::Duration CertificatePacing::before_write(const std::string& cluster, Time now) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return async::Duration::zero();
  return std::max(found->second.busy_until() - now, async::Duration::zero());
}

}  // namespace addon
