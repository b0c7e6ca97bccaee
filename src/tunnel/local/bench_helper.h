#pragma once

#include <string>
#include <string_view>

#include "tunnel/local/port.h"

namespace tunnel::local {

/// What the far end of a measurement does with the connection.
enum class BenchJob {
  echo,     // sends back what comes
  discard,  // counts what comes, and now and then sends the count as a line
  chargen,  // sends as much as is taken
};

/// With which line the measuring side asks for it.
std::string bench_request(BenchJob job);

/// Writes as much as `stream` takes, until it takes no more.
async::Task<void> write_for_ever(net::Stream& stream);

/// The helper behind `cluster-proxy bench --serve`.
Port::Serve bench_helper();

}  // namespace tunnel::local
