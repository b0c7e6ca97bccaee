#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "async/event.h"
#include "async/task.h"
#include "net/address.h"

namespace net {

/// Which addresses of a name are wanted.
enum class Family { any, v4, v6 };

class Lookup;

/// A question for the addresses of a host, in the order to try them: as the system's resolver gives
/// them, but with the families alternating (RFC 8305, section 4). An address stands for itself, ""
/// for localhost.
///
/// Lookups run side by side in a few threads of the process, so that a slow one does not hold up
/// the others. One that is destroyed unanswered leaves its thread to finish alone. Texts of errors
/// are Go's: "lookup NAME: no such host" (Code::not_found). Thread: that of the loop.
class Resolution {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  /// `changed` is notified when an answer comes that was not there at once, and outlives the
  /// object.
  Resolution(async::Executor executor, HostPort target, Family family, async::Event& changed);
  ~Resolution();
  Resolution(const Resolution&) = delete;
  Resolution& operator=(const Resolution&) = delete;

  bool answered() const;
  /// The answer, once.
  base::Result<Endpoints> take();

 private:
  std::optional<base::Result<Endpoints>> known_;
  std::shared_ptr<Lookup> lookup_;
};

/// The answer of a Resolution. Cancelling the task ends it at once.
async::Task<Resolution::Endpoints> resolve(HostPort target, Family family = Family::any);

}  // namespace net
