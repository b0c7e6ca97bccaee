#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "async/task.h"
#include "tunnel/outlet.h"
#include "tunnel/server/backend.h"

namespace tunnel {

class RemoteBackend;
class RemoteLeg;
class FarEnd;

/// What ties the two ends of a dial that crosses loops: the near one with the client, the far one
/// with the link. Each pointer is read and written on its own loop only, and null once its end has
/// gone; messages carry the whole by shared pointer and find their end, or nobody.
struct Crossing {
  async::Executor near_loop;
  async::Executor far_loop;
  RemoteLeg* near = nullptr;
  FarEnd* far = nullptr;

  void post_near(std::shared_ptr<Crossing> self, std::function<void(RemoteLeg&)> message);
  void post_far(std::shared_ptr<Crossing> self, std::function<void(FarEnd&)> message);
};

/// The near end: the leg that the frontend has. Owned by its RemoteBackend.
class RemoteLeg : public Leg, private Outlet {
 public:
  /// Bytes of the client on their way to the far loop at most, before full().
  static constexpr std::size_t kHigh = 256 * 1024;

  RemoteLeg(RemoteBackend& backend, Frontend& frontend, const DialRequest& request,
            std::shared_ptr<Crossing> crossing);
  ~RemoteLeg() override;

  Outlet& outlet() override { return *this; }
  void count_up(std::size_t) override {}  // the far end does
  void send_packet(base::Bytes bytes, base::Bytes packet) override;
  void consumed(std::size_t bytes) override;
  bool half_close() const override { return half_close_; }
  void finish() override;
  void close() override;
  void abandon(DialFailure why_if_dialing) override;
  void close_stray(std::int64_t connect_id) override;

  // News of the far end.
  void dialed(std::int64_t connect_id, bool half_close);
  void dial_failed(DialFailure reason, const std::string& error);
  void deliver(base::Bytes bytes, bool is_packet);
  void target_done();
  void closed(const std::string& error, bool truncated);
  void overloaded(const std::string& reason);
  void taken(std::size_t bytes);

 private:
  void push(base::Buffer bytes) override;
  std::size_t space() const override { return kHigh - std::min(kHigh, under_way_); }
  void tell(std::function<void(FarEnd&)> message);

  RemoteBackend& backend_;
  Frontend* frontend_;
  std::shared_ptr<Crossing> crossing_;
  std::size_t under_way_ = 0;
  bool half_close_ = false;
};

/// The far end: the frontend that the link's leg has. Owns itself, until the leg is over.
class FarEnd : public Leg::Frontend {
 public:
  /// Dials through `backend`, null when the link has gone meanwhile.
  static void dial(Backend* backend, const DialRequest& request, std::string client,
                   std::shared_ptr<Crossing> crossing);
  ~FarEnd() override;

  // Wishes of the near end.
  void send(base::Buffer bytes);
  void send_packet(const base::Buffer& packet);
  void consumed(std::size_t bytes);
  void finish();
  void close();
  void abandon(DialFailure why_if_dialing);
  void close_stray(std::int64_t connect_id);

 private:
  FarEnd(std::string client, std::shared_ptr<Crossing> crossing);
  void on_dialed(Leg& leg) override;
  void on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) override;
  void on_bytes(Leg& leg, base::Pieces pieces, base::Bytes packet) override;
  void on_target_done(Leg& leg) override;
  void on_closed(Leg& leg, const std::string& error, bool truncated) override;
  void on_overload(Leg& leg, const std::string& reason) override;
  void on_room(Leg& leg) override;
  std::string client_name() const override { return client_; }
  void tell(std::function<void(RemoteLeg&)> message);
  void report_taken();

  std::string client_;
  std::shared_ptr<Crossing> crossing_;
  Leg* leg_ = nullptr;
  std::size_t owed_ = 0;  // bytes taken into the leg and not reported, since it was full
};

}  // namespace tunnel
