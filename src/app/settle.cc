#include "app/settle.h"

#include <bit>
#include <chrono>
#include <cstdint>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace app {
namespace {

constexpr auto kStart = std::chrono::seconds(10);

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

async::Task<void> settle(async::Clock& clock) {
  CO_TRY_VOID(co_await clock.sleep_for(kStart));
  ::malloc_trim(0);
  ::dl_iterate_phdr(drop_pages, nullptr);
  co_return base::Result<void>{};
}

}  // namespace app
