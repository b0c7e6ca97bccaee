#pragma once

namespace base {
[[noreturn]] void check_failed(const char* file, int line, const char* condition);
}  // namespace base

/// Aborts when an invariant of our own is broken. Never for input.
#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::base::check_failed(__FILE__, __LINE__, #condition))

#ifdef NDEBUG
#define DCHECK(condition) void(sizeof(static_cast<bool>(condition)))
#else
#define DCHECK(condition) CHECK(condition)
#endif
