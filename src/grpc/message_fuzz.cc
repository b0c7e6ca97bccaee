#include <cstddef>
#include <cstdint>

#include "grpc/message_reader.h"

namespace {

class Ignore : public grpc::MessageReader::Sink {
 public:
  void on_message(base::Bytes message) override { total += message.size(); }
  std::size_t total = 0;
};

}  // namespace

// The first byte chooses how the rest is cut; however it is cut, the same bytes must come out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] + 1u;
  base::Bytes rest(data + 1, size - 1);
  Ignore at_once, in_steps;
  grpc::MessageReader whole(1000), cut(1000);
  const bool ok = whole.feed(rest, at_once).ok();
  bool cut_ok = true;
  while (!rest.empty() && cut_ok) {
    const base::Bytes part = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(part.size());
    cut_ok = cut.feed(part, in_steps).ok();
  }
  if (ok != cut_ok || at_once.total != in_steps.total) __builtin_trap();
  return 0;
}
