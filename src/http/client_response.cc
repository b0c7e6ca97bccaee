#include "http/client_response.h"

#include <fmt/format.h>

namespace http {

async::Task<std::string> ClientResponse::read_all(std::size_t limit) {
  std::string whole;
  for (;;) {
    CO_TRY(const auto part, co_await read_part());
    if (part.empty()) co_return whole;
    if (whole.size() + part.size() > limit) {
      co_return base::fail(base::Code::exhausted,
                           fmt::format("the response body is longer than {} bytes", limit));
    }
    whole += part;
  }
}

}  // namespace http
