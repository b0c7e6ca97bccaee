#include "pki/pem.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/openssl.h"

namespace pki {
namespace {

using base::Code;
using base::fail;
using net::BioPtr;
using net::KeyPtr;
using net::X509Ptr;

constexpr std::size_t kLargestFile = std::size_t{16} << 20;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

BioPtr memory_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// An encrypted key must fail, not ask the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

/// One block of a PEM text.
class Block {
 public:
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name_);
    OPENSSL_free(header_);
    OPENSSL_free(data_);
  }

  /// False when the next block cannot be decoded or there is none.
  bool read(BIO* bio) { return PEM_read_bio(bio, &name_, &header_, &data_, &size_) == 1; }

  bool is_certificate() const {
    return std::string_view(name_) == PEM_STRING_X509 && header_[0] == '\0';
  }
  /// Null unless the block is one certificate and nothing else.
  X509Ptr certificate() const {
    const unsigned char* at = data_;
    X509Ptr parsed(d2i_X509(nullptr, &at, size_));
    if (at != data_ + size_) parsed.reset();
    return parsed;
  }

 private:
  char* name_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long size_ = 0;
};

/// Why `pem` gave no block whose first line ends in `wanted`.
std::string_view what_else(std::string_view pem, std::string_view wanted) {
  if (pem.empty()) return "the file is empty";
  if (!pem.contains("-----BEGIN ")) return "the file is not PEM";
  if (pem.contains("ENCRYPTED")) {
    return "it is encrypted: remove the passphrase, with openssl pkey -in OLD -out NEW";
  }
  if (pem.contains(wanted)) return "its block is cut off or malformed";
  return "the file holds PEM of another kind";
}

std::string subject_of(const X509& certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace

base::Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return fail(base::system_error(errno, "open"));
  std::string content;
  char block[16384];
  while (const std::size_t count = std::fread(block, 1, sizeof(block), file.get())) {
    content.append(block, count);
    if (content.size() > kLargestFile) return fail(Code::invalid, "larger than 16 MiB");
  }
  if (std::ferror(file.get()) != 0) return fail(base::system_error(errno, "read"));
  return content;
}

base::Result<std::string> parse_ca_bundle(std::string_view pem) {
  const BioPtr in = memory_bio(pem);
  const BioPtr out(BIO_new(BIO_s_mem()));
  std::size_t count = 0;
  while (BIO_pending(in.get()) > 0) {
    Block block;
    if (!block.read(in.get()) || !block.is_certificate()) continue;
    const X509Ptr certificate = block.certificate();
    if (!certificate) {
      ERR_clear_error();
      return fail(Code::invalid, fmt::format("certificate {} is malformed", count + 1));
    }
    PEM_write_bio_X509(out.get(), certificate.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) {
    return fail(Code::invalid,
                fmt::format("no PEM certificate in it ({})", what_else(pem, "CERTIFICATE-----")));
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

base::Result<Validity> check_key_pair(std::string_view chain_pem, std::string_view key_pem) {
  const X509Ptr leaf(
      PEM_read_bio_X509(memory_bio(chain_pem).get(), nullptr, no_passphrase, nullptr));
  const KeyPtr key(
      PEM_read_bio_PrivateKey(memory_bio(key_pem).get(), nullptr, no_passphrase, nullptr));
  const bool fits = leaf && key && X509_check_private_key(leaf.get(), key.get()) == 1;
  ERR_clear_error();
  if (!leaf) {
    return fail(Code::invalid, fmt::format("no PEM certificate in the certificate file ({})",
                                           what_else(chain_pem, "CERTIFICATE-----")));
  }
  if (!key) {
    return fail(Code::invalid, fmt::format("no readable PEM private key in the key file ({})",
                                           what_else(key_pem, "PRIVATE KEY-----")));
  }
  if (!fits) return fail(Code::invalid, "the private key does not belong to the certificate");
  return Validity{.subject = subject_of(*leaf),
                  .not_before = time_of(X509_get0_notBefore(leaf.get())),
                  .not_after = time_of(X509_get0_notAfter(leaf.get()))};
}

}  // namespace pki
