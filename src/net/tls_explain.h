#pragma once

#include <string>

#include <openssl/ssl.h>

namespace net {

/// The newest reason in this thread's error queue, which is emptied. An alert of the peer is told
/// as what it means for us.
std::string openssl_reason();

/// A callback of SSL_CTX_set_verify. OpenSSL forgets a certificate that it refuses: this writes the
/// names it is for into the std::string that is the connection's app data, if there is one.
int note_names(int ok, X509_STORE_CTX* verification);

/// Why the peer's certificate, which is for `names`, was refused and the way out, after a handshake
/// that failed so.
std::string why_refused(const SSL& connection, const std::string& names);

}  // namespace net
