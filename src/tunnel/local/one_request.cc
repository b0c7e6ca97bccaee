#include "tunnel/local/one_request.h"

#include <utility>

#include "net/wrapped_stream.h"

namespace tunnel::local {
namespace {

using async::Task;
using base::Result;

class OneRequest : public net::WrappedStream {
 public:
  OneRequest(std::unique_ptr<net::Stream> client, http::RequestBody body)
      : WrappedStream(std::move(client)), body_(std::move(body)) {}

  // A client that keeps quiet after its request may only wait: its end is told when it comes, or
  // when more comes that is for nobody here.
  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    if (surplus_) return std::size_t{0};
    auto count = inner().try_read(into);
    if (!count || !*count || **count == 0) return count;
    const std::size_t ours = body_.take(base::Bytes(into).first(**count));
    surplus_ = ours < **count;
    return ours;
  }
  Task<void> wait_readable() override {
    if (!surplus_) CO_TRY_VOID(co_await inner().wait_readable());
    co_return Result<void>{};
  }

 private:
  http::RequestBody body_;
  bool surplus_ = false;
};

}  // namespace

std::unique_ptr<net::Stream> make_one_request(std::unique_ptr<net::Stream> client,
                                              http::RequestBody body) {
  return std::make_unique<OneRequest>(std::move(client), std::move(body));
}

}  // namespace tunnel::local
