#pragma once

#include <optional>
#include <string>

#include "http/h2_session.h"
#include "tunnel/server/link_leg.h"

namespace tunnel {

/// A leg through a native link: one CONNECT stream (docs/protocol.md, 4). Owned by its stream.
class NativeLeg : public LinkLeg, public http::H2StreamHandler, private Outlet {
 public:
  /// Bytes of the client that wait for the link at most, before full().
  static constexpr std::size_t kHigh = 256 * 1024;

  NativeLeg(http::H2Stream& stream, ServerContext& context, Backend& backend, Frontend& frontend,
            const DialRequest& request, std::int64_t random);
  ~NativeLeg() override;

  Outlet& outlet() override { return *this; }
  void consumed(std::size_t bytes) override { stream_.consume(bytes); }
  bool half_close() const override { return true; }
  void finish() override;
  void close() override;

 private:
  void push(base::Buffer bytes) override;
  std::size_t space() const override { return stream_.space(kHigh); }

  void on_headers(const http::Headers& headers) override;
  void on_data(base::Pieces pieces) override;
  void on_end() override;
  void on_drained() override { room(); }
  void on_close(std::uint32_t error) override;

  void dial_lost(http::H2Error error);
  void cancel_dial() override;
  void drop() override;
  void on_delay_over() override;
  void linger();
  void end_lingering();

  http::H2Stream& stream_;
  bool answered_ = false;
  bool finished_ = false;       // the client's direction
  bool ended_ = false;          // the target's direction
  std::size_t unwanted_ = 0;    // bytes from the target that nobody takes
  bool lingering_ = false;      // the client is done: the target gets a moment to end as well
  std::size_t last_bytes_ = 0;  // that were not sent when it was last looked, while lingering
  async::TimePoint moved_{};    // when they were last seen to become less
};

/// The headers of a CONNECT to the agent.
http::Headers dial_headers(const DialRequest& request, std::int64_t random);

}  // namespace tunnel
