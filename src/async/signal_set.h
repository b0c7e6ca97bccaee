#pragma once

#include <boost/asio/signal_set.hpp>

#include "async/task.h"

namespace async {

using SignalSet = asio::basic_signal_set<Executor>;

}  // namespace async
