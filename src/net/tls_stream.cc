#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "async/event.h"
#include "base/buffer.h"
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

std::string one_line(X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

class OpensslStream : public TlsStream {
 public:
  OpensslStream(async::asio::any_io_executor executor, std::unique_ptr<Stream> transport,
                std::shared_ptr<const TlsContext> context)
      : transport_(std::move(transport)),
        context_(std::move(context)),
        ssl_(SSL_new(context_->native())),
        flushed_(executor) {
    BIO* bio = make_tls_bio(&cipher_);
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
  Task<void> write_all(base::Bytes bytes) override;
  Task<void> write_all(base::BufferQueue& queue) override;
  Task<void> shutdown_write() override;
  void close() override { transport_->close(); }
  void abort() override { transport_->abort(); }
  int descriptor() override { return transport_->descriptor(); }
  std::string peer() const override { return transport_->peer(); }
  std::string alpn() const override;
  std::string peer_subject() const override;

 private:
  base::Error handshake_error();
  std::string hung_up() const;
  base::Error broken(int reason);
  Task<void> receive();
  std::optional<Result<std::size_t>> decrypt(base::MutableBytes into);
  Result<void> encrypt(base::Bytes bytes);
  Task<void> flush();

  std::unique_ptr<Stream> transport_;
  std::shared_ptr<const TlsContext> context_;
  TlsCipherBuffers cipher_;
  std::string refused_names_;  // see note_names()
  SslPtr ssl_;
  bool heard_ = false;  // the peer has sent something
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
                     heard_ ? "during the handshake" : "before it said anything");
}

Task<void> OpensslStream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    const int reason = SSL_get_error(ssl_.get(), result);
    if (result != 1 && reason != SSL_ERROR_WANT_READ) {
      auto error = handshake_error();
      (void)co_await flush();  // the alert that tells the peer why
      co_return fail(std::move(error));
    }
    CO_TRY_VOID(co_await flush());
    if (result == 1) break;
    auto received = co_await receive();
    if (!received) co_return fail(std::move(received).error().within("tls: handshake"));
    if (cipher_.in_ended) co_return fail(Code::closed, hung_up());
  }
  if (context_->requires_alpn() && alpn().empty()) {
    co_return fail(Code::unauthenticated, "tls: the peer agreed on no application protocol (ALPN)");
  }
  co_return Result<void>{};
}

Task<void> OpensslStream::receive() {
  if (cipher_.in_ended) co_return Result<void>{};
  CO_TRY_VOID(co_await transport_->wait_readable());
  base::Buffer block(base::Buffer::kBlock);
  CO_TRY(const std::size_t count, co_await transport_->read_some(block.tail()));
  if (count == 0) {
    cipher_.in_ended = true;
  } else {
    heard_ = true;
  }
  block.commit(count);
  cipher_.in.push(std::move(block));
  co_return Result<void>{};
}

// Both directions produce records (data, alerts, key updates); one at a time carries them to the
// socket.
Task<void> OpensslStream::flush() {
  while (flushing_) CO_TRY_VOID(co_await flushed_.wait());
  flushing_ = true;
  Result<void> result;
  if (!cipher_.out.empty()) result = co_await transport_->write_all(cipher_.out);
  flushing_ = false;
  flushed_.notify_all();
  co_return result;
}

base::Error OpensslStream::broken(int reason) {
  if (reason == SSL_ERROR_SYSCALL || cipher_.in_ended) {
    ERR_clear_error();
    return {Code::closed, "tls: connection closed without close_notify"};
  }
  return {Code::io, "tls: " + openssl_reason()};
}

// What of the records that have come is whole, or what the transport has now.
std::optional<Result<std::size_t>> OpensslStream::decrypt(base::MutableBytes into) {
  ERR_clear_error();
  std::size_t total = 0, count = 0;
  int result = 0;
  // One record is at most 16 KiB; all that has arrived is taken at once.
  while (total < into.size() && (result = SSL_read_ex(ssl_.get(), into.data() + total,
                                                      into.size() - total, &count)) == 1) {
    total += count;
  }
  if (total > 0) return total;
  const int reason = SSL_get_error(ssl_.get(), result);
  if (reason == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
  if (reason != SSL_ERROR_WANT_READ) return fail(broken(reason));
  if (cipher_.in_ended) return fail(broken(SSL_ERROR_SYSCALL));
  return std::nullopt;
}

// The answers to key updates and the like go with the next flush().
std::optional<Result<std::size_t>> OpensslStream::try_read(base::MutableBytes into) {
  for (;;) {
    if (auto count = decrypt(into)) return count;
    base::Buffer block(base::Buffer::kBlock);
    auto count = transport_->try_read(block.tail());
    if (!count) return std::nullopt;
    if (!*count) return count;
    if (**count == 0) cipher_.in_ended = true;
    block.commit(**count);
    cipher_.in.push(std::move(block));
  }
}

Task<std::size_t> OpensslStream::read_some(base::MutableBytes into) {
  for (;;) {
    auto count = decrypt(into);
    if (!cipher_.out.empty() && !flushing_) CO_TRY_VOID(co_await flush());
    if (count) co_return *std::move(count);
    CO_TRY_VOID(co_await receive());
  }
}

Task<void> OpensslStream::wait_readable() {
  if (SSL_pending(ssl_.get()) > 0 || !cipher_.in.empty() || cipher_.in_ended)
    co_return Result<void>{};
  co_return co_await transport_->wait_readable();
}

// Half a close is close_notify alone; whoever goes for good ends the transport too.
Task<void> OpensslStream::wait_gone() {
  while (!cipher_.in_ended) {
    cipher_.in.clear();
    CO_TRY_VOID(co_await receive());
  }
  co_return Result<void>{};
}

Result<void> OpensslStream::encrypt(base::Bytes bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t written = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1)
      return fail(broken(SSL_ERROR_SSL));
    bytes = bytes.subspan(written);
  }
  return {};
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
  while (!queue.empty()) {
    for (std::size_t total = 0; total < kEncryptAtOnce && !queue.empty();) {
      const base::Buffer block = queue.pop();
      CO_TRY_VOID(encrypt(block.bytes()));
      total += block.size();
    }
    CO_TRY_VOID(co_await flush());
  }
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
