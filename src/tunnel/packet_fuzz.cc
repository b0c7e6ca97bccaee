#include "tunnel/packet.h"

#include "packet.pb.h"

// Whatever protoc's parser accepts, ours accepts, and both see the same values.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto ours = tunnel::decode_packet({data, size});
  oracle::Packet theirs;
  if (!theirs.ParseFromArray(data, static_cast<int>(size))) return 0;
  // Groups and the last payload of several are read differently on purpose: no peer sends either.
  if (!ours) return 0;
  if (theirs.type() == oracle::DATA && theirs.has_data()) {
    if (ours->connect_id != theirs.data().connect_id() ||
        base::as_text(ours->data) != theirs.data().data())
      __builtin_trap();
  }
  if (theirs.type() == oracle::CLOSE_RSP && theirs.has_close_response()) {
    if (ours->error != theirs.close_response().error()) __builtin_trap();
  }
  return 0;
}
