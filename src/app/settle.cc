#include "app/settle.h"

#include <bit>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace app {
namespace {

constexpr auto kInterval = std::chrono::seconds(10);

PauseWatch::Use use_now() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return {.processor = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec),
          .free = ::mallinfo2().fordblks};
}

// Pages that nobody can have written to, of one object (the program or a library).
int drop_pages(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    ::madvise(std::bit_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

bool PauseWatch::look(const Use& use) {
  const bool paused = use.processor - std::exchange(last_, use.processor) < kWork;
  const bool due = !tidied_ || (paused && (use.processor - tidied_->processor >= kWork ||
                                           use.free >= tidied_->free + kFreed));
  if (due) tidied_ = use;
  return due;
}

async::Task<void> settle(async::Clock& clock) {
  PauseWatch watch;
  for (bool started = false;; started = true) {
    CO_TRY_VOID(co_await clock.sleep_for(kInterval));
    if (!watch.look(use_now())) continue;
    ::malloc_trim(0);
    if (!started) ::dl_iterate_phdr(drop_pages, nullptr);
  }
}

}  // namespace app
