#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "async/event.h"
#include "net/address.h"
#include "net/openssl.h"
#include "net/tls.h"
#include "net/tls_bio.h"
#include "net/tls_explain.h"

namespace net {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

// Plain bytes encrypted before the records go out together: bounds the memory of one write.
constexpr std::size_t kEncryptAtOnce = 256 * 1024;

std::string content(BIO* bio) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(length)};
}

std::string one_line(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return content(bio.get());
}

std::vector<std::string> uris_of(const X509& certificate) {
  using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> uris;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_URI) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  ERR_clear_error();
  return uris;
}

class OpensslStream : public TlsStream {
 public:
  OpensslStream(async::Executor executor, std::unique_ptr<Stream> transport,
                std::shared_ptr<const TlsContext> context)
      : transport_(std::move(transport)),
        context_(std::move(context)),
        ssl_(SSL_new(context_->native())),
        flushed_(executor) {
    BIO* bio = make_tls_bio(&transport_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), &refused_names_);
  }

  void accept_clients() { SSL_set_accept_state(ssl_.get()); }
  Result<void> expect_server(const std::string& name);
  Task<void> handshake();

  Task<std::size_t> read_some(base::MutableBytes into) override;
  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override;
  Task<void> wait_readable() override;
  Task<void> wait_gone() override;
  void interrupt() override { transport_.stream->interrupt(); }
  std::size_t try_write(base::Pieces pieces) override;
  bool unsent() const override { return !transport_.out.empty(); }
  Task<void> write_all(base::Bytes bytes) override;
  Task<void> write_all(base::BufferQueue& queue) override;
  Task<void> shutdown_write() override;
  void close() override { transport_.stream->close(); }
  void abort() override { transport_.stream->abort(); }
  bool move_to(async::Executor executor) override {
    if (!transport_.stream->move_to(executor)) return false;
    flushed_.move_to(executor);
    return true;
  }
  int descriptor() override { return transport_.stream->descriptor(); }
  std::string peer() const override { return transport_.stream->peer(); }
  std::string alpn() const override;
  std::string peer_subject() const override;
  std::vector<std::string> peer_uris() const override;
  std::string peer_certificate() const override;

 private:
  base::Error handshake_error();
  std::string hung_up() const;
  base::Error broken(int reason);
  Result<void> encrypt(base::Bytes bytes);
  Task<void> flush();
  void push();
  Task<void> wait_for_transport() {
    transport_.drained = false;
    return transport_.stream->wait_readable();
  }

  TlsTransport transport_;
  std::shared_ptr<const TlsContext> context_;
  std::string refused_names_;  // see note_names()
  SslPtr ssl_;
  bool more_ = true;   // the library may hold what was read ahead, in the handshake too
  bool over_ = false;  // it has met the end, or an error: no more comes
  bool flushing_ = false;
  async::Event flushed_;
};

Result<void> OpensslStream::expect_server(const std::string& name) {
  SSL_set_connect_state(ssl_.get());
  if (name.empty()) return {};
  const bool address = is_ip_address(name);
  if (!address) SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int ok = address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str())
                         : X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size());
  if (ok != 1) return fail(Code::invalid, fmt::format("\"{}\" is not a server name", name));
  return {};
}

base::Error OpensslStream::handshake_error() {
  if (SSL_get_verify_result(ssl_.get()) != X509_V_OK) {
    ERR_clear_error();
    return {Code::unauthenticated,
            "tls: certificate of the peer refused: " + why_refused(*ssl_, refused_names_)};
  }
  return {Code::unauthenticated, "tls: handshake failed: " + openssl_reason()};
}

std::string OpensslStream::hung_up() const {
  return fmt::format("tls: the peer closed the connection {}",
                     transport_.heard ? "during the handshake" : "before it said anything");
}

Task<void> OpensslStream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    const int reason = SSL_get_error(ssl_.get(), result);
    if (transport_.error) co_return fail(std::move(*transport_.error).within("tls: handshake"));
    if (result != 1 && transport_.ended) co_return fail(Code::closed, hung_up());
    if (result != 1 && reason != SSL_ERROR_WANT_READ) {
      auto error = handshake_error();
      (void)co_await flush();  // the alert that tells the peer why
      co_return fail(std::move(error));
    }
    CO_TRY_VOID(co_await flush());
    if (result == 1) break;
    auto ready = co_await wait_for_transport();
    if (!ready) co_return fail(std::move(ready).error().within("tls: handshake"));
  }
  if (context_->requires_alpn() && alpn().empty()) {
    co_return fail(Code::unauthenticated, "tls: the peer agreed on no application protocol (ALPN)");
  }
  co_return Result<void>{};
}

// Both directions produce records (data, alerts, key updates); one at a time carries them to the
// socket.
Task<void> OpensslStream::flush() {
  while (flushing_) CO_TRY_VOID(co_await flushed_.wait());
  flushing_ = true;
  Result<void> result;
  if (!transport_.out.empty()) result = co_await transport_.stream->write_all(transport_.out);
  flushing_ = false;
  flushed_.notify_all();
  co_return result;
}

base::Error OpensslStream::broken(int reason) {
  if (reason == SSL_ERROR_SYSCALL || transport_.ended) {
    ERR_clear_error();
    return {Code::closed, "tls: connection closed without close_notify"};
  }
  return {Code::io, "tls: " + openssl_reason()};
}

// What has come, as much of it as fits: a record is at most 16 KiB. Answers to key updates and the
// like are sent on the way.
std::optional<Result<std::size_t>> OpensslStream::try_read(base::MutableBytes into) {
  ERR_clear_error();
  transport_.drained = false;
  std::size_t total = 0;
  int result = 1;
  while (total < into.size() && result == 1) {
    std::size_t count = 0;
    const base::MutableBytes rest = into.subspan(total);
    transport_.room = rest.size();
    result = SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &count);
    total += count;
  }
  transport_.room = 0;
  transport_.ahead = {};  // of a connection that is over
  more_ = result == 1;
  const int reason = SSL_get_error(ssl_.get(), result);
  over_ = result != 1 && reason != SSL_ERROR_WANT_READ;
  push();
  if (total > 0) return total;
  if (reason == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
  if (reason == SSL_ERROR_WANT_READ) return std::nullopt;
  if (transport_.error) return fail(*transport_.error);
  return fail(broken(reason));
}

Task<std::size_t> OpensslStream::read_some(base::MutableBytes into) {
  for (;;) {
    auto count = try_read(into);
    if (unsent() && !flushing_) CO_TRY_VOID(co_await flush());
    if (count) co_return *std::move(count);
    CO_TRY_VOID(co_await wait_for_transport());
  }
}

// The library may hold records that it has read ahead, or have read the end behind the last ones.
Task<void> OpensslStream::wait_readable() {
  if (transport_.ended || over_ || (more_ && SSL_has_pending(ssl_.get()) == 1))
    co_return Result<void>{};
  co_return co_await wait_for_transport();
}

// Half a close is close_notify alone; whoever goes for good ends the transport too.
Task<void> OpensslStream::wait_gone() {
  std::array<std::uint8_t, 1024> ignored;
  while (!transport_.ended) {
    CO_TRY_VOID(co_await wait_for_transport());
    CO_TRY(const std::size_t count, co_await transport_.stream->read_some(ignored));
    transport_.ended = count == 0;
  }
  co_return Result<void>{};
}

Result<void> OpensslStream::encrypt(base::Bytes bytes) {
  ERR_clear_error();
  while (!bytes.empty()) {
    std::size_t written = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1)
      return fail(broken(SSL_ERROR_SSL));
    bytes = bytes.subspan(written);
  }
  return {};
}

// All of it becomes records; what the system does not take of them waits.
std::size_t OpensslStream::try_write(base::Pieces pieces) {
  if (flushing_ || unsent()) return 0;
  for (const base::Bytes piece : pieces) {
    if (!encrypt(piece)) return 0;
  }
  push();
  return pieces.size();
}

// Records go as far as the system takes them.
void OpensslStream::push() {
  while (!flushing_ && unsent()) {
    const std::size_t count = transport_.stream->try_write(transport_.out.front());
    if (count == 0) break;
    transport_.out.consume(count);
  }
}

Task<void> OpensslStream::write_all(base::Bytes bytes) {
  while (!bytes.empty()) {
    const base::Bytes part = bytes.first(std::min(bytes.size(), kEncryptAtOnce));
    CO_TRY_VOID(encrypt(part));
    bytes = bytes.subspan(part.size());
    CO_TRY_VOID(co_await flush());
  }
  co_return Result<void>{};
}

Task<void> OpensslStream::write_all(base::BufferQueue& queue) {
  do {
    for (std::size_t total = 0; total < kEncryptAtOnce && !queue.empty();) {
      const base::Buffer block = queue.pop();
      CO_TRY_VOID(encrypt(block.bytes()));
      total += block.size();
    }
    CO_TRY_VOID(co_await flush());
  } while (!queue.empty());
  co_return Result<void>{};
}

Task<void> OpensslStream::shutdown_write() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  co_return co_await flush();
}

std::string OpensslStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

std::string OpensslStream::peer_subject() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? "" : one_line(X509_get_subject_name(certificate));
}

std::vector<std::string> OpensslStream::peer_uris() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? std::vector<std::string>() : uris_of(*certificate);
}

std::string OpensslStream::peer_certificate() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return "";
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return content(bio.get());
}

}  // namespace

async::Task<std::unique_ptr<TlsStream>> tls_handshake(std::unique_ptr<Stream> transport,
                                                      std::shared_ptr<const TlsContext> context,
                                                      std::string server_name) {
  const bool client = context->role() == TlsContext::Role::client;
  auto stream = std::make_unique<OpensslStream>(co_await async::asio::this_coro::executor,
                                                std::move(transport), std::move(context));
  if (client) {
    CO_TRY_VOID(stream->expect_server(server_name));
  } else {
    stream->accept_clients();
  }
  CO_TRY_VOID(co_await stream->handshake());
  co_return std::unique_ptr<TlsStream>(std::move(stream));
}

}  // namespace net
