#pragma once

#include <boost/asio/signal_set.hpp>

#include "async/task.h"

namespace async {

/// Asio's set of signals on a Loop.
using SignalSet = asio::basic_signal_set<Executor>;

}  // namespace async
