#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <openssl/bio.h>

#include "base/buffer.h"
#include "net/stream.h"

namespace net {

/// The transport beneath one TLS connection, as OpenSSL sees it. What OpenSSL writes is gathered.
/// What it reads comes straight from the system into its own buffer, a record at a time, or, with
/// `room`, many records in one system call into memory that all connections of a loop share: so
/// whoever sets `room` reads until OpenSSL has none left before another connection has its turn.
struct TlsTransport {
  explicit TlsTransport(std::unique_ptr<Stream> beneath) : stream(std::move(beneath)) {}

  std::unique_ptr<Stream> stream;
  base::BufferQueue out;
  std::size_t room = 0;  // plain bytes that the reader is sure to take
  base::Bytes ahead;     // was read before OpenSSL asked for it
  bool heard = false;    // something came
  bool drained = false;  // the last read took all there was; until OpenSSL is asked again
  bool ended = false;    // the peer has finished writing
  std::optional<base::Error> error;  // of reading
};

/// A BIO over `transport`, which must outlive it. Input that is not there yet reads as "try again".
BIO* make_tls_bio(TlsTransport* transport);

}  // namespace net
