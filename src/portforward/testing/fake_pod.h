#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "async/task_group.h"
#include "net/stream.h"
#include "portforward/spdy_frame.h"

namespace portforward::testing {

/// The far end of a SPDY connection as a kubelet has it: takes streams, answers pings, knows no
/// windows. What it sends is up to the test. Thread: that of the loop.
class FakePod {
 public:
  struct Stream {
    SpdyHeaders headers;
    std::string received;
    bool ended = false;
    std::optional<std::uint32_t> reset;
  };

  FakePod(async::Executor executor, std::unique_ptr<net::Stream> stream);

  bool replies = true;        // to new streams
  bool echoes = false;        // what comes on data streams, and their end
  bool answers_pings = true;  //
  std::string refuses_with;   // not empty: what the error stream of each pair says
  std::map<std::uint32_t, Stream> streams;
  std::uint64_t window_updates = 0;
  std::optional<std::uint32_t> announced_window;
  int pongs = 0;

  void write(std::string bytes);
  void send(std::uint32_t stream, std::string_view bytes, bool fin = false);
  void reply(std::uint32_t stream);
  void close() { stream_->close(); }
  /// The stream of that type and request, or 0.
  std::uint32_t find(std::string_view type, std::string_view request = "0") const;
  SpdyEncoder& encoder() { return encoder_; }
  std::size_t unsent() const { return output_.size(); }

 private:
  async::Task<void> read_loop();
  async::Task<void> write_loop();
  void take(const SpdyFrame& frame);
  void take_stream(const SpdySynStream& frame);
  void take_data(const SpdyData& frame);

  std::unique_ptr<net::Stream> stream_;
  SpdyDecoder decoder_;
  SpdyEncoder encoder_;
  base::BufferQueue output_;
  async::Event wake_;
  async::TaskGroup tasks_;
};

/// The value of `name`, or "".
std::string header(const SpdyHeaders& headers, std::string_view name);

}  // namespace portforward::testing
