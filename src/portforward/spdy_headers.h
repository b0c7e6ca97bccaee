#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace portforward {

/// Names are lower case; a name that comes twice in a block is an error of SPDY.
using SpdyHeaders = std::vector<std::pair<std::string, std::string>>;

/// Name/value blocks of SPDY/3.1 (2.6.10), one direction of one connection: each block is
/// compressed in the light of those before, so all must pass through, in order.
class SpdyHeaderEncoder {
 public:
  SpdyHeaderEncoder();
  ~SpdyHeaderEncoder();
  std::string encode(const SpdyHeaders& headers);

 private:
  struct Zlib;
  std::unique_ptr<Zlib> zlib_;
};

/// The other direction. A block that is malformed or larger than kLargest ends the connection: what
/// follows cannot be read any more.
class SpdyHeaderDecoder {
 public:
  static constexpr std::size_t kLargest = 64 * 1024;  // bytes, decompressed

  SpdyHeaderDecoder();
  ~SpdyHeaderDecoder();
  base::Result<SpdyHeaders> decode(base::Bytes block);

 private:
  struct Zlib;
  base::Result<std::string> inflate_block(base::Bytes block);
  std::unique_ptr<Zlib> zlib_;
};

}  // namespace portforward
