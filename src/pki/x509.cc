#include "pki/x509.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace pki::x509 {
namespace {

using base::Code;
using base::fail;

using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, net::OpensslDeleter<GENERAL_NAME_free>>;

std::string utf8(const ASN1_STRING* value) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  if (size < 0) return {};
  std::string copy(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return copy;
}

std::string raw(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

std::string address_text(const ASN1_OCTET_STRING* octets) {
  const auto* data = ASN1_STRING_get0_data(octets);
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(octets));
  if (size == 4) {
    std::array<unsigned char, 4> bytes{};
    std::copy_n(data, size, bytes.begin());
    return boost::asio::ip::make_address_v4(bytes).to_string();
  }
  if (size != 16) return {};
  std::array<unsigned char, 16> bytes{};
  std::copy_n(data, size, bytes.begin());
  return boost::asio::ip::make_address_v6(bytes).to_string();
}

std::string name_text(const X509_NAME* name) {
  const auto out = writer();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return content(*out);
}

base::Result<void> append(GENERAL_NAMES& names, int type, const std::string& value) {
  const bool ascii = std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f; });
  if (value.empty() || !ascii) {
    return fail(Code::invalid,
                fmt::format("\"{}\" cannot stand in a certificate: ASCII without spaces", value));
  }
  GeneralNamePtr name(GENERAL_NAME_new());
  auto* text = ASN1_IA5STRING_new();
  GENERAL_NAME_set0_value(name.get(), type, text);
  ASN1_STRING_set(text, value.data(), static_cast<int>(value.size()));
  sk_GENERAL_NAME_push(&names, name.release());
  return {};
}

base::Result<void> append_address(GENERAL_NAMES& names, const std::string& value) {
  auto* octets = a2i_IPADDRESS(canonical_ip(value).c_str());
  if (octets == nullptr) {
    ERR_clear_error();
    return fail(Code::invalid, fmt::format("\"{}\" is no IP address", value));
  }
  GeneralNamePtr name(GENERAL_NAME_new());
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, octets);
  sk_GENERAL_NAME_push(&names, name.release());
  return {};
}

}  // namespace

net::BioPtr reader(std::string_view text) {
  return net::BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

net::BioPtr writer() { return net::BioPtr(BIO_new(BIO_s_mem())); }

std::string content(BIO& written) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(&written, &text);
  return {text, static_cast<std::size_t>(size)};
}

int no_passphrase(char*, int, int, void*) { return -1; }

base::Error failure(std::string_view what) {
  char reason[256] = "no reason given";
  if (const auto code = ERR_peek_error(); code != 0) {
    ERR_error_string_n(code, reason, sizeof(reason));
  }
  ERR_clear_error();
  return {Code::internal, fmt::format("{}: {}", what, reason)};
}

std::string to_pem(X509& certificate) {
  const auto out = writer();
  PEM_write_bio_X509(out.get(), &certificate);
  return content(*out);
}

net::X509Ptr first_certificate(std::string_view pem) {
  net::X509Ptr certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return certificate;
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

DistinguishedName decode_name(const X509_NAME* name) {
  DistinguishedName decoded{.text = name_text(name)};
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    auto value = utf8(X509_NAME_ENTRY_get_data(entry));
    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
      case NID_commonName:
        decoded.common_name = std::move(value);
        break;
      case NID_organizationName:
        decoded.organizations.push_back(std::move(value));
        break;
      case NID_organizationalUnitName:
        decoded.organizational_units.push_back(std::move(value));
        break;
      default:
        break;
    }
  }
  ERR_clear_error();
  return decoded;
}

AltNames decode_alt_names(const GENERAL_NAMES* names) {
  AltNames decoded;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
    switch (type) {
      case GEN_DNS:
        decoded.dns.push_back(raw(static_cast<const ASN1_STRING*>(value)));
        break;
      case GEN_EMAIL:
        decoded.emails.push_back(raw(static_cast<const ASN1_STRING*>(value)));
        break;
      case GEN_URI:
        decoded.uris.push_back(raw(static_cast<const ASN1_STRING*>(value)));
        break;
      case GEN_IPADD:
        decoded.ips.push_back(address_text(static_cast<const ASN1_OCTET_STRING*>(value)));
        break;
      default:
        break;
    }
  }
  return decoded;
}

base::Result<NamesPtr> encode_alt_names(const AltNames& names) {
  NamesPtr encoded(GENERAL_NAMES_new());
  for (const auto& name : names.dns) TRY_VOID(append(*encoded, GEN_DNS, name));
  for (const auto& name : names.emails) TRY_VOID(append(*encoded, GEN_EMAIL, name));
  for (const auto& name : names.ips) TRY_VOID(append_address(*encoded, name));
  for (const auto& name : names.uris) TRY_VOID(append(*encoded, GEN_URI, name));
  return encoded;
}

}  // namespace pki::x509
