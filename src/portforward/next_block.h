#pragma once

#include <utility>

#include "net/stream.h"

namespace portforward {

/// The next bytes of a stream; an empty block is the end. `reader` outlives the task.
inline async::Task<base::Buffer> next_block(net::BlockReader& reader) {
  for (;;) {
    CO_TRY_VOID(co_await reader.wait());
    if (auto block = reader.take()) co_return std::move(*block);
  }
}

}  // namespace portforward
