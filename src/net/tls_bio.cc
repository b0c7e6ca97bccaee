#include "net/tls_bio.h"

#include <algorithm>
#include <array>
#include <utility>

namespace net {
namespace {

// Of one system call. What is read has to be in the cache still when it is decrypted and sent on.
constexpr std::size_t kReadAhead = 144 * 1024;
constexpr std::size_t kRecord = 16 * 1024;  // the longest, plain (RFC 8446, 5.1)

enum Outcome { kFailed, kRetry, kOk };

TlsTransport& transport_of(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

int write_records(BIO* bio, const char* data, std::size_t length, std::size_t* written) {
  transport_of(bio).out.append({reinterpret_cast<const std::uint8_t*>(data), length});
  *written = length;
  return 1;
}

base::MutableBytes shared_memory() {
  thread_local std::array<std::uint8_t, kReadAhead> memory;
  return memory;
}

// Records are longer than what is in them, and OpenSSL may hold a part of one already.
std::size_t ahead_limit(const TlsTransport& transport) {
  return transport.room < kRecord ? 0 : std::min(transport.room - kRecord, kReadAhead);
}

std::size_t hand_over(TlsTransport& transport, base::MutableBytes into) {
  const std::size_t count = std::min(into.size(), transport.ahead.size());
  std::ranges::copy(transport.ahead.first(count), into.begin());
  transport.ahead = transport.ahead.subspan(count);
  return count;
}

// One system call; as a BIO's answer.
Outcome read_transport(TlsTransport& transport, base::MutableBytes into, std::size_t& count) {
  const auto read = transport.stream->try_read(into);
  if (!read) return kRetry;
  transport.drained = *read && **read < into.size();
  transport.ended = *read && **read == 0;
  if (!*read) transport.error = read->error();
  count = read->value_or(0);
  transport.heard |= count > 0;
  return count > 0 ? kOk : kFailed;
}

Outcome read_some(TlsTransport& transport, base::MutableBytes into, std::size_t& count) {
  if (transport.ended || transport.error) return kFailed;
  if (transport.drained) return kRetry;
  const std::size_t limit = ahead_limit(transport);
  if (limit <= into.size()) return read_transport(transport, into, count);
  const auto memory = shared_memory().first(limit);
  const Outcome result = read_transport(transport, memory, count);
  transport.ahead = memory.first(count);
  count = hand_over(transport, into);
  return result;
}

int read_records(BIO* bio, char* data, std::size_t length, std::size_t* count) {
  BIO_clear_retry_flags(bio);
  TlsTransport& transport = transport_of(bio);
  const base::MutableBytes into(reinterpret_cast<std::uint8_t*>(data), length);
  *count = hand_over(transport, into);
  if (*count > 0) return kOk;
  const Outcome result = read_some(transport, into, *count);
  if (result == kRetry) BIO_set_retry_read(bio);
  return result == kOk ? 1 : 0;
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
