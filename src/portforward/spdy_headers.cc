#include "portforward/spdy_headers.h"

#include <array>
#include <string_view>
#include <zlib.h>

#include "base/check.h"
#include "portforward/big_endian.h"

namespace portforward {

namespace {

using base::Code;
using base::fail;

constexpr std::array<std::string_view, 65> kWords = {"options",
                                                     "head",
                                                     "post",
                                                     "put",
                                                     "delete",
                                                     "trace",
                                                     "accept",
                                                     "accept-charset",
                                                     "accept-encoding",
                                                     "accept-language",
                                                     "accept-ranges",
                                                     "age",
                                                     "allow",
                                                     "authorization",
                                                     "cache-control",
                                                     "connection",
                                                     "content-base",
                                                     "content-encoding",
                                                     "content-language",
                                                     "content-length",
                                                     "content-location",
                                                     "content-md5",
                                                     "content-range",
                                                     "content-type",
                                                     "date",
                                                     "etag",
                                                     "expect",
                                                     "expires",
                                                     "from",
                                                     "host",
                                                     "if-match",
                                                     "if-modified-since",
                                                     "if-none-match",
                                                     "if-range",
                                                     "if-unmodified-since",
                                                     "last-modified",
                                                     "location",
                                                     "max-forwards",
                                                     "pragma",
                                                     "proxy-authenticate",
                                                     "proxy-authorization",
                                                     "range",
                                                     "referer",
                                                     "retry-after",
                                                     "server",
                                                     "te",
                                                     "trailer",
                                                     "transfer-encoding",
                                                     "upgrade",
                                                     "user-agent",
                                                     "vary",
                                                     "via",
                                                     "warning",
                                                     "www-authenticate",
                                                     "method",
                                                     "get",
                                                     "status",
                                                     "200 OK",
                                                     "version",
                                                     "HTTP/1.1",
                                                     "url",
                                                     "public",
                                                     "set-cookie",
                                                     "keep-alive",
                                                     "origin"};

constexpr std::string_view kPhrases =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, "
    "Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch"
    "charset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/// SPDY/3.1, 2.6.10.1: words with their lengths, then phrases without.
std::string make_dictionary() {
  std::string text;
  for (const auto word : kWords) {
    append_u32(text, static_cast<std::uint32_t>(word.size()));
    text += word;
  }
  text += kPhrases;
  return text;
}

const std::string& dictionary() {
  static const std::string text = make_dictionary();
  return text;
}

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

/// Takes length-prefixed texts off a block; any failure sticks.
class BlockReader {
 public:
  explicit BlockReader(std::string_view block) : rest_(block) {}

  std::uint32_t number() {
    if (rest_.size() < 4) failed_ = true;
    if (failed_) return 0;
    const auto value = read_u32(base::as_bytes(rest_));
    rest_.remove_prefix(4);
    return value;
  }
  std::string text() {
    const auto size = number();
    if (size > rest_.size()) failed_ = true;
    if (failed_) return {};
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  bool failed() const { return failed_; }
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

struct SpdyHeaderEncoder::Zlib {
  Zlib() {
    CHECK(deflateInit(&stream, Z_DEFAULT_COMPRESSION) == Z_OK);
    CHECK(deflateSetDictionary(&stream, bytes_of(dictionary()),
                               static_cast<uInt>(dictionary().size())) == Z_OK);
  }
  ~Zlib() { deflateEnd(&stream); }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;
  z_stream stream{};
};

SpdyHeaderEncoder::SpdyHeaderEncoder() : zlib_(std::make_unique<Zlib>()) {}
SpdyHeaderEncoder::~SpdyHeaderEncoder() = default;

std::string SpdyHeaderEncoder::encode(const SpdyHeaders& headers) {
  std::string plain;
  append_u32(plain, static_cast<std::uint32_t>(headers.size()));
  for (const auto& [name, value] : headers) {
    append_u32(plain, static_cast<std::uint32_t>(name.size()));
    plain += name;
    append_u32(plain, static_cast<std::uint32_t>(value.size()));
    plain += value;
  }
  auto& stream = zlib_->stream;
  std::string packed(deflateBound(&stream, static_cast<uLong>(plain.size())) + 16, '\0');
  stream.next_in = const_cast<Bytef*>(bytes_of(plain));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_out > 0);
  packed.resize(packed.size() - stream.avail_out);
  return packed;
}

struct SpdyHeaderDecoder::Zlib {
  Zlib() { CHECK(inflateInit(&stream) == Z_OK); }
  ~Zlib() { inflateEnd(&stream); }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;

  int step() {
    int state = inflate(&stream, Z_SYNC_FLUSH);
    if (state == Z_NEED_DICT) {
      state = inflateSetDictionary(&stream, bytes_of(dictionary()),
                                   static_cast<uInt>(dictionary().size()));
      if (state == Z_OK) state = inflate(&stream, Z_SYNC_FLUSH);
    }
    return state;
  }
  z_stream stream{};
};

SpdyHeaderDecoder::SpdyHeaderDecoder() : zlib_(std::make_unique<Zlib>()) {}
SpdyHeaderDecoder::~SpdyHeaderDecoder() = default;

base::Result<std::string> SpdyHeaderDecoder::inflate_block(base::Bytes block) {
  std::string plain(kLargest + 1, '\0');
  auto& stream = zlib_->stream;
  stream.next_in = const_cast<Bytef*>(block.data());
  stream.avail_in = static_cast<uInt>(block.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  while (stream.avail_in > 0 && stream.avail_out > 0) {
    const int state = zlib_->step();
    if (state != Z_OK && state != Z_BUF_ERROR) {
      return fail(Code::invalid, "a block of SPDY headers cannot be decompressed");
    }
    if (state == Z_BUF_ERROR) break;
  }
  plain.resize(plain.size() - stream.avail_out);
  if (stream.avail_in > 0 || plain.size() > kLargest) {
    return fail(Code::invalid, "a block of SPDY headers is larger than 64 KiB");
  }
  return plain;
}

base::Result<SpdyHeaders> SpdyHeaderDecoder::decode(base::Bytes block) {
  TRY(const auto plain, inflate_block(block));
  BlockReader reader(plain);
  SpdyHeaders headers;
  for (auto left = reader.number(); left > 0 && !reader.failed(); --left) {
    auto name = reader.text();
    auto value = reader.text();
    headers.emplace_back(std::move(name), std::move(value));
  }
  if (!reader.finished()) return fail(Code::invalid, "a block of SPDY headers is malformed");
  return headers;
}

}  // namespace portforward
