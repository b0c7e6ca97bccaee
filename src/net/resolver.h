#pragma once

#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"
#include "net/address.h"

namespace net {

/// Which addresses of a name are wanted.
enum class Family { any, v4, v6 };

/// The addresses of a host in the order to try them: as the system's resolver gives them, but with
/// the families alternating (RFC 8305, section 4). An address stands for itself, "" for localhost.
///
/// Lookups run side by side in a few threads of the process, so that a slow one does not hold up
/// the others. One that is cancelled ends at once; its thread finishes alone and its result is
/// dropped. Texts of errors are Go's: "lookup NAME: no such host" (Code::not_found).
async::Task<std::vector<boost::asio::ip::tcp::endpoint>> resolve(HostPort target,
                                                                 Family family = Family::any);

}  // namespace net
