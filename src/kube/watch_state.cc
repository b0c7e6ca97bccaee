#include "kube/watch_state.h"

namespace kube {

namespace {

// A watch that ends sooner and without an event is a failure in disguise.
constexpr auto kTooShort = std::chrono::seconds(1);
// Failures this far apart have nothing to do with each other.
constexpr auto kQuiet = std::chrono::minutes(2);
constexpr std::string_view kAnyVersion = "0";

}  // namespace

WatchState::Step WatchState::step() const {
  if (watches_) return Step::watch;
  return streams_ ? Step::stream : Step::list;
}

std::string WatchState::resource_version() const {
  return step() == Step::stream && version_ == kAnyVersion ? "" : version_;
}

void WatchState::listed(std::string_view version) {
  watches_ = true;
  version_ = version;
  pause_ = {};
  saw_event_ = false;
}

void WatchState::event(std::string_view version) {
  saw_event_ = true;
  if (!version.empty()) version_ = version;
}

void WatchState::ended(async::Duration lasted) {
  pause_ = !saw_event_ && lasted < kTooShort ? backoff_.next() : async::Duration(0);
  saw_event_ = false;
}

void WatchState::failed(const Error& error, async::TimePoint now) {
  if (now - last_failure_ > kQuiet) backoff_.reset();
  last_failure_ = now;
  pause_ = backoff_.next();
  saw_event_ = false;
  const bool history_lost = error.is_gone() || error.is_too_large_resource_version();
  if (!history_lost) return;
  if (watches_) {
    watches_ = false;
    pause_ = {};
  } else {
    version_.clear();
  }
}

void WatchState::restart() {
  watches_ = false;
  version_ = kAnyVersion;
  pause_ = {};
}

void WatchState::stream_refused() {
  streams_ = false;
  pause_ = {};
}

}  // namespace kube
