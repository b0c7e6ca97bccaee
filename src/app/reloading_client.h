#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kube/client.h"
#include "pki/reloading_tls.h"
#include "portforward/dialer.h"

namespace app {

/// A client of an API server that follows its kubeconfig file: what the file names (certificates,
/// token) every kube::Client follows by itself.
///
/// A file that cannot be used leaves the client that there is; that is logged once. Users keep the
/// client for as long as what they do takes. Thread: that of the loop.
class ReloadingClient : public portforward::ClientSource {
 public:
  /// The file "" is the pod's service account. Fails when that cannot be used at the start. The
  /// references outlive the object and its clients.
  struct Options {
    std::string file;
    bool http1_only = false;  // see kube::Config
    kube::Client::Options client;
  };
  static base::Result<std::unique_ptr<ReloadingClient>> open(async::Loop& loop, async::Clock& clock,
                                                             Options options);

  /// Looks at the file, so that a change holds from the next request on.
  std::shared_ptr<kube::Client> client() override;
  /// Ends when client() is another one than `used`.
  async::Task<void> changed(std::shared_ptr<kube::Client> used);

 private:
  ReloadingClient(async::Loop& loop, async::Clock& clock, Options options);
  base::Result<std::shared_ptr<kube::Client>> load() const;

  async::Loop& loop_;
  async::Clock& clock_;
  Options options_;
  pki::FileStamp stamp_;
  std::shared_ptr<kube::Client> client_;
};

}  // namespace app
