#include "tunnel/testing/call_pair.h"

#include <utility>

namespace tunnel::testing {

class CallPair::FarCall : public grpc::ServerCall {
 public:
  FarCall(http::H2Stream& stream, CallPair& pair) : ServerCall(stream), pair_(pair) {}

 private:
  void on_message(base::Bytes message) override {
    pair_.received_.emplace_back(base::as_text(message));
  }
  void on_finished(const grpc::Status&) override { pair_.far_ = nullptr; }
  CallPair& pair_;
};

class CallPair::Side : public http::H2Session::Events {
 public:
  Side(http::H2Session::Role role, CallPair& pair)
      : pair_(pair), session({.role = role, .stream_window = 1 << 16}, *this) {}

 private:
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream& stream,
                                                    const http::Headers& headers) override {
    auto call = std::make_unique<FarCall>(stream, pair_);
    pair_.far_ = call.get();
    pair_.request_ = headers;
    return call;
  }
  void on_output() override {}
  void on_ping_acknowledged() override {}
  void on_goaway(std::uint32_t) override {}
  CallPair& pair_;

 public:
  http::H2Session session;
};

CallPair::CallPair(const http::H2Session::MakeHandler& make_near)
    : near_side_(std::make_unique<Side>(http::H2Session::Role::client, *this)),
      far_side_(std::make_unique<Side>(http::H2Session::Role::server, *this)) {
  (void)near_side_->session.request(grpc::request_headers("/x", "test", {}), make_near);
  exchange();
}

CallPair::~CallPair() = default;

void CallPair::exchange() {
  const auto move = [](http::H2Session& from, http::H2Session& to) {
    base::BufferQueue out;
    (void)from.produce(out, 1 << 20);
    const bool any = !out.empty();
    while (!out.empty()) (void)to.receive(out.pop().bytes());
    return any;
  };
  while (move(near_side_->session, far_side_->session) ||
         move(far_side_->session, near_side_->session)) {
  }
}

void CallPair::far_accept(const http::Headers& metadata) {
  far_->accept(metadata);
  exchange();
}

void CallPair::far_send(std::string_view message) {
  far_->send(base::as_bytes(message));
  exchange();
}

void CallPair::far_finish(const grpc::Status& status) {
  far_->finish(status);
  exchange();
}

void CallPair::far_hold(bool on) {
  far_->hold(on);
  exchange();
}

void CallPair::cut() {
  near_side_->session.close_streams(http::H2Error::cancel);
  far_side_->session.close_streams(http::H2Error::cancel);
}

}  // namespace tunnel::testing
