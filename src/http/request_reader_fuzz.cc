#include "http/request_reader.h"

#include <cstddef>
#include <cstdint>

/// The bytes of a connection give the same requests however they are cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  http::RequestReader reader({.head_bytes = 4096, .body_bytes = 1024});
  const std::size_t cut = size == 0 ? 0 : data[0] % size;
  for (const base::Bytes part : {base::Bytes(data, cut), base::Bytes(data + cut, size - cut)}) {
    reader.feed(part);
    while (auto outcome = reader.next()) {
      if (outcome->refusal != 0) return 0;
      (void)http::encode_response(http::Routes().answer(outcome->request), false,
                                  outcome->keep_alive, "now");
    }
  }
  return 0;
}
