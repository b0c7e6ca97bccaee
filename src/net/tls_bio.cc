#include "net/tls_bio.h"

#include <utility>

namespace net {
namespace {

TlsTransport& transport_of(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

int write_records(BIO* bio, const char* data, std::size_t length, std::size_t* written) {
  transport_of(bio).out.append({reinterpret_cast<const std::uint8_t*>(data), length});
  *written = length;
  return 1;
}

int read_records(BIO* bio, char* data, std::size_t length, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  TlsTransport& transport = transport_of(bio);
  *count = 0;
  if (transport.ended || transport.error) return 0;
  if (transport.drained) {
    BIO_set_retry_read(bio);
    return 0;
  }
  auto read = transport.stream->try_read({reinterpret_cast<std::uint8_t*>(data), length});
  if (!read) {
    BIO_set_retry_read(bio);
    return 0;
  }
  if (!*read) {
    transport.error = std::move(*read).error();
    return 0;
  }
  *count = **read;
  transport.drained = *count < length;
  transport.heard |= *count > 0;
  transport.ended = *count == 0;
  return *count > 0 ? 1 : 0;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* made =
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cluster-proxy transport");
  BIO_meth_set_write_ex(made, write_records);
  BIO_meth_set_read_ex(made, read_records);
  BIO_meth_set_ctrl(made, control);
  BIO_meth_set_create(made, create);
  return made;
}

}  // namespace

BIO* make_tls_bio(TlsTransport* transport) {
  static BIO_METHOD* const method = make_method();
  BIO* bio = BIO_new(method);
  BIO_set_data(bio, transport);
  return bio;
}

}  // namespace net
