#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "grpc/call.h"

namespace tunnel::testing {

/// The client's end of a call, which tells the test what it hears.
class NearCall : public grpc::Call {
 public:
  explicit NearCall(http::H2Stream& stream) : Call(stream) {}
  std::function<void()> drained = [] {};
  void note_interactive() override { ++interactive; }
  std::size_t bytes_heard = 0;
  int interactive = 0;  // somebody on it says little

 private:
  void on_message(base::Bytes message) override { bytes_heard += message.size(); }
  void on_broken(const grpc::Status&) override {}
  void on_drained() override { drained(); }
  void on_finished(const grpc::Status&) override {}
};

/// Two ends of one call, joined in memory: the client's is the test's subject, the server's records
/// what it hears. Nothing moves before exchange().
class CallPair {
 public:
  explicit CallPair(const http::H2Session::MakeHandler& make_near);
  ~CallPair();

  /// Carries bytes both ways until neither side has more to say.
  void exchange();
  /// The server answers with headers.
  void far_accept(const http::Headers& metadata);
  void far_send(std::string_view message);
  void far_finish(const grpc::Status& status);
  /// The server reads no more than its window of 64 KiB, until told otherwise.
  void far_hold(bool on);
  /// The connection breaks.
  void cut();

  /// Whole messages that the server has heard since the last call.
  std::vector<std::string> received() { return std::exchange(received_, {}); }
  bool far_closed() const { return far_ == nullptr; }
  const http::Headers& request() const { return request_; }

 private:
  class FarCall;
  class Side;
  std::vector<std::string> received_;
  http::Headers request_;
  FarCall* far_ = nullptr;
  std::unique_ptr<Side> near_side_, far_side_;
};

}  // namespace tunnel::testing
