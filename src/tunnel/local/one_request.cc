#include "tunnel/local/one_request.h"

#include <utility>

namespace tunnel::local {
namespace {

using async::Task;
using base::Result;

class OneRequest : public net::Stream {
 public:
  OneRequest(std::unique_ptr<net::Stream> client, http::RequestBody body)
      : client_(std::move(client)), body_(std::move(body)) {}

  Task<std::size_t> read_some(base::MutableBytes into) override {
    for (;;) {
      if (auto count = try_read(into)) co_return *std::move(count);
      CO_TRY_VOID(co_await wait_readable());
    }
  }
  // A client that keeps quiet after its request may only wait: its end is told when it comes, or
  // when more comes that is for nobody here.
  std::optional<Result<std::size_t>> try_read(base::MutableBytes into) override {
    if (surplus_) return std::size_t{0};
    auto count = client_->try_read(into);
    if (!count || !*count || **count == 0) return count;
    const std::size_t ours = body_.take(base::Bytes(into).first(**count));
    surplus_ = ours < **count;
    return ours;
  }
  Task<void> wait_readable() override {
    if (surplus_) return at_once();
    return client_->wait_readable();
  }
  Task<void> wait_gone() override { return client_->wait_gone(); }
  void interrupt() override { client_->interrupt(); }
  Task<void> write_all(base::Bytes bytes) override { return client_->write_all(bytes); }
  Task<void> write_all(base::BufferQueue& queue) override { return client_->write_all(queue); }
  std::size_t try_write(base::Bytes bytes) override { return client_->try_write(bytes); }
  bool unsent() const override { return client_->unsent(); }
  Task<void> shutdown_write() override { return client_->shutdown_write(); }
  void close() override { client_->close(); }
  void abort() override { client_->abort(); }
  int descriptor() override { return client_->descriptor(); }
  std::string peer() const override { return client_->peer(); }

 private:
  static Task<void> at_once() { co_return Result<void>{}; }

  std::unique_ptr<net::Stream> client_;
  http::RequestBody body_;
  bool surplus_ = false;
};

}  // namespace

std::unique_ptr<net::Stream> make_one_request(std::unique_ptr<net::Stream> client,
                                              http::RequestBody body) {
  return std::make_unique<OneRequest>(std::move(client), std::move(body));
}

}  // namespace tunnel::local
