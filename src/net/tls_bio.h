#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <openssl/bio.h>

#include "base/buffer.h"
#include "net/stream.h"

namespace net {

/// The transport beneath one TLS connection, as OpenSSL sees it: it reads straight from the
/// transport into the library's own buffer; what it writes is gathered.
struct TlsTransport {
  explicit TlsTransport(std::unique_ptr<Stream> beneath) : stream(std::move(beneath)) {}

  std::unique_ptr<Stream> stream;
  base::BufferQueue out;
  bool heard = false;    // something came
  bool drained = false;  // the last read took all there was; until OpenSSL is asked again
  bool ended = false;    // the peer has finished writing
  std::optional<base::Error> error;  // of reading
};

/// A BIO over `transport`, which must outlive it. Input that is not there yet reads as "try again".
BIO* make_tls_bio(TlsTransport* transport);

}  // namespace net
