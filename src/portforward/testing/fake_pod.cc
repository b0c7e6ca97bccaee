#include "portforward/testing/fake_pod.h"

#include <algorithm>

#include "portforward/next_block.h"

namespace portforward::testing {

using async::Task;
using base::Result;

std::string header(const SpdyHeaders& headers, std::string_view name) {
  const auto place = std::ranges::find(
      headers, name, [](const auto& field) { return std::string_view(field.first); });
  return place == headers.end() ? "" : place->second;
}

FakePod::FakePod(async::Executor executor, std::unique_ptr<net::Stream> stream)
    : stream_(std::move(stream)), wake_(executor), tasks_(executor) {
  tasks_.spawn("read", read_loop());
  tasks_.spawn("write", write_loop());
}

void FakePod::write(std::string bytes) {
  output_.append(base::as_bytes(bytes));
  wake_.notify_all();
}

void FakePod::send(std::uint32_t stream, std::string_view bytes, bool fin) {
  write(SpdyEncoder::data_head(stream, bytes.size(), fin) + std::string(bytes));
}

void FakePod::reply(std::uint32_t stream) { write(encoder_.syn_reply(stream, {})); }

std::uint32_t FakePod::find(std::string_view type, std::string_view request) const {
  for (const auto& [id, stream] : streams) {
    if (header(stream.headers, "streamtype") == type &&
        header(stream.headers, "requestid") == request) {
      return id;
    }
  }
  return 0;
}

Task<void> FakePod::read_loop() {
  net::BlockReader reader(*stream_);
  for (;;) {
    CO_TRY(const auto block, co_await next_block(reader));
    if (block.empty()) co_return Result<void>{};
    auto input = block.bytes();
    for (;;) {
      CO_TRY(const auto frame, decoder_.next(input));
      if (!frame) break;
      take(*frame);
    }
  }
}

Task<void> FakePod::write_loop() {
  for (;;) {
    while (output_.empty()) CO_TRY_VOID(co_await wake_.wait());
    const auto block = output_.pop();
    CO_TRY_VOID(co_await stream_->write_all(block.bytes()));
  }
}

void FakePod::take(const SpdyFrame& frame) {
  if (const auto* opened = std::get_if<SpdySynStream>(&frame)) return take_stream(*opened);
  if (const auto* data = std::get_if<SpdyData>(&frame)) return take_data(*data);
  if (const auto* reset = std::get_if<SpdyReset>(&frame)) {
    streams[reset->stream].reset = reset->status;
  } else if (const auto* ping = std::get_if<SpdyPing>(&frame)) {
    if (ping->id % 2 == 0) ++pongs;
    if (ping->id % 2 == 1 && answers_pings) write(SpdyEncoder::ping(ping->id));
  } else if (const auto* settings = std::get_if<SpdySettings>(&frame)) {
    announced_window = settings->initial_window;
  } else if (const auto* update = std::get_if<SpdyWindowUpdate>(&frame)) {
    if (update->stream != 0) ++window_updates;
  }
}

void FakePod::take_stream(const SpdySynStream& frame) {
  streams[frame.stream].headers = frame.headers;
  if (replies) reply(frame.stream);
  if (!refuses_with.empty() && header(frame.headers, "streamtype") == "error") {
    send(frame.stream, refuses_with);
    write(SpdyEncoder::reset(frame.stream, SpdyStatus::cancel));
  }
}

void FakePod::take_data(const SpdyData& frame) {
  auto& stream = streams[frame.stream];
  stream.received += base::as_text(frame.bytes);
  stream.ended |= frame.fin;
  if (echoes && header(stream.headers, "streamtype") == "data") {
    send(frame.stream, base::as_text(frame.bytes), frame.fin);
  }
}

}  // namespace portforward::testing
