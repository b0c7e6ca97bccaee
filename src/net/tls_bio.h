#pragma once

#include <openssl/bio.h>

#include "base/buffer.h"

namespace net {

/// The encrypted bytes of one connection on their way between OpenSSL and the transport.
struct TlsCipherBuffers {
  base::BufferQueue in;
  base::BufferQueue out;
  bool in_ended = false;
};

/// A BIO that reads from and writes to `buffers`, which must outlive it. An empty input reads as
/// "try again".
BIO* make_tls_bio(TlsCipherBuffers* buffers);

}  // namespace net
