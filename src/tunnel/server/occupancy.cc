#include "tunnel/server/occupancy.h"

namespace tunnel {

Occupancy::Stay::Stay(Occupancy& loop, DelayLine& moments) : loop_(loop) {
  ++loop_.fresh_;
  moments.add(*this);
}

Occupancy::Stay::~Stay() {
  --(lingers_ ? loop_.lingering_ : loop_.fresh_);
  loop_.gone(!lingers_);
}

void Occupancy::Stay::on_delay_over() {
  lingers_ = true;
  --loop_.fresh_;
  ++loop_.lingering_;
}

void Occupancy::gone(bool brief) {
  const int before = brevity_.load(std::memory_order_relaxed);
  brevity_.store(before + ((brief ? kAll : 0) - before) / kMemory, std::memory_order_relaxed);
}

}  // namespace tunnel
