#include "net/tls_bio.h"

#include <algorithm>
#include <cstring>

namespace net {
namespace {

TlsCipherBuffers& buffers_of(BIO* bio) {
  return *static_cast<TlsCipherBuffers*>(BIO_get_data(bio));
}

int write_records(BIO* bio, const char* data, std::size_t length, std::size_t* written) {
  buffers_of(bio).out.append({reinterpret_cast<const std::uint8_t*>(data), length});
  *written = length;
  return 1;
}

int read_records(BIO* bio, char* data, std::size_t length, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  base::BufferQueue& in = buffers_of(bio).in;
  if (in.empty()) {
    if (!buffers_of(bio).in_ended) BIO_set_retry_read(bio);
    *count = 0;
    return 0;
  }
  *count = std::min(length, in.front().size());
  std::memcpy(data, in.front().data(), *count);
  in.consume(*count);
  return 1;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* made =
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cluster-proxy buffers");
  BIO_meth_set_write_ex(made, write_records);
  BIO_meth_set_read_ex(made, read_records);
  BIO_meth_set_ctrl(made, control);
  BIO_meth_set_create(made, create);
  return made;
}

}  // namespace

BIO* make_tls_bio(TlsCipherBuffers* buffers) {
  static BIO_METHOD* const method = make_method();
  BIO* bio = BIO_new(method);
  BIO_set_data(bio, buffers);
  return bio;
}

}  // namespace net
