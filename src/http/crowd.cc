#include "http/crowd.h"

#include <algorithm>

namespace http {

bool Crowd::says_little(async::TimePoint now, Member& member, std::size_t count) {
  if (now - began_ >= kPeriod) begin_period(now);
  if (member.period_ != period_) enter_period(member);
  member.brought_ += static_cast<std::uint32_t>(count);
  brought_ += count;
  const std::uint32_t brought = std::max(member.brought_, member.brought_before_);
  return brought < kLittle && brought < average_ / kFraction;
}

void Crowd::begin_period(async::TimePoint now) {
  average_ = members_ == 0 ? 0 : brought_ / members_;
  brought_ = 0;
  members_ = 0;
  began_ = now;
  ++period_;
}

void Crowd::enter_period(Member& member) {
  member.brought_before_ = member.period_ + 1 == period_ ? member.brought_ : 0;
  member.brought_ = 0;
  member.period_ = period_;
  ++members_;
}

}  // namespace http
