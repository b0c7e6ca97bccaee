#include <utility>

#include "tunnel/local/visit.h"

namespace tunnel::local {
namespace {

using async::Task;

Task<void> serve(const Context& context, std::unique_ptr<net::Stream> stream, std::string target) {
  Visit visit(context, std::move(stream));
  if (!co_await visit.dial(std::move(target))) {
    visit.stream().abort();
    co_return base::Result<void>{};
  }
  co_return co_await visit.carry("");
}

}  // namespace

Port::Serve forward_to(const Context& context, std::string target) {
  return [&context, target = std::move(target)](std::unique_ptr<net::Stream> stream) {
    return serve(context, std::move(stream), target);
  };
}

}  // namespace tunnel::local
