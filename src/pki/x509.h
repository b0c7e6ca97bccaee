#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/x509v3.h>

#include "base/result.h"
#include "net/openssl.h"
#include "pki/names.h"

/// What the .cc files of this library share of OpenSSL. No other library includes it.
namespace pki::x509 {

using RequestPtr = std::unique_ptr<X509_REQ, net::OpensslDeleter<X509_REQ_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, net::OpensslDeleter<GENERAL_NAMES_free>>;

net::BioPtr reader(std::string_view text);
net::BioPtr writer();
std::string content(BIO& written);

/// Refuses every encrypted key, where OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*);

/// OpenSSL's own reason for the failure of `what`; empties its queue of errors.
base::Error failure(std::string_view what);

std::string to_pem(X509& certificate);
/// The first certificate of `pem`, or null; leaves no errors in OpenSSL's queue.
net::X509Ptr first_certificate(std::string_view pem);

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time);

DistinguishedName decode_name(const X509_NAME* name);
AltNames decode_alt_names(const GENERAL_NAMES* names);
/// Fails with Code::invalid on what the encoding cannot hold.
base::Result<NamesPtr> encode_alt_names(const AltNames& names);

}  // namespace pki::x509
