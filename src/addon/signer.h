#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "addon/hub.h"
#include "addon/signer_secret.h"
#include "pki/key_reserve.h"

namespace addon {

/// The authority that vouches for proxy servers and agents, kept in a Secret of the hub.
///
/// Guarantees: made once, when there is none. When its end comes near, or an administrator asks,
/// another one follows it in the steps of signer_secret.h. A change of the Secret by somebody else
/// takes effect at once, and what the old authority signed stays trusted. Thread: that of the loop.
/// `hub` outlives it. stop() comes last, when no task uses it.
class Signer {
 public:
  struct Options {
    std::string in_namespace;
    std::string secret;
  };
  Signer(async::Executor executor, Hub& hub, Options options);

  /// Before anything else by who may write: where there is no authority yet, keys are made for it
  /// and for the first certificates while the configuration is awaited.
  void prepare();
  /// Reads the Secret, or makes it, and takes the next step of a rotation when it is due. `owner`
  /// is the reference by which it goes with the configuration. Code::invalid names the Secret and
  /// what is wrong in it.
  kube::Task<void> ensure(json::object owner);

  /// A certificate with a new key. Only when ready().
  kube::Task<pki::IssuedCertificate> issue(pki::LeafRequest request);
  /// So many keys will be asked for in a row: they are made side by side.
  void want_keys(std::size_t count) { keys_.want(count); }
  async::Awaitable<void> stop() { co_await keys_.stop(); }

  bool ready() const { return secret_.has_value(); }
  /// The next authority is made, and clusters are learning to trust it.
  bool rotating() const { return secret_ && secret_->next; }
  /// The rest only when ready().
  const pki::CertificateAuthority& authority() const { return secret_->current; }
  /// Whom to trust: the authority, and those that it follows.
  const std::string& trust_pem() const { return trust_pem_; }
  const std::string& organizational_unit() const { return organizational_unit_; }

  /// Hears when another authority is in force, or another is trusted.
  void on_change(std::function<void()> handler) { handlers_.push_back(std::move(handler)); }
  const Options& options() const { return options_; }

 private:
  kube::Task<ObjectPtr> create(json::object owner);
  kube::Task<ObjectPtr> adopt(ObjectPtr secret, json::object owner);
  kube::Task<ObjectPtr> rotate(ObjectPtr secret, const SignerSecret& read);
  base::Result<void> use(SignerSecret found);
  base::Result<SignerSecret> read(const json::object& secret) const;
  bool trusted_everywhere(const std::string& trust_pem) const;
  CachedKind& secrets() const;

  Hub& hub_;
  Options options_;
  std::optional<SignerSecret> secret_;
  std::string trust_pem_;
  std::string organizational_unit_;
  std::vector<std::function<void()>> handlers_;
  pki::KeyReserve keys_;
};

/// Whether the works of a cluster have brought it `ca_pem`, as far as the cluster says.
bool carries_trust(const json::object& work, std::string_view ca_pem);

}  // namespace addon
