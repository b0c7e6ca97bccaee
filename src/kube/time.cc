#include "kube/time.h"

#include <fmt/format.h>

namespace kube {

using namespace std::chrono;

namespace {

/// Reads a text from the front; any failure sticks.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) number = number * 10 + digit();
    return number;
  }
  bool skip(char wanted) {
    const bool there = rest_.starts_with(wanted);
    if (there) rest_.remove_prefix(1);
    return there;
  }
  void need(char wanted) { failed_ |= !skip(wanted); }
  void need(bool condition) { failed_ |= !condition; }
  bool at_digit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  int digit() {
    if (!at_digit()) {
      failed_ = true;
      return 0;
    }
    const int value = rest_[0] - '0';
    rest_.remove_prefix(1);
    return value;
  }
  std::string_view rest_;
  bool failed_ = false;
};

nanoseconds read_fraction(Reader& reader) {
  if (!reader.skip('.')) return {};
  reader.need(reader.at_digit());
  std::int64_t unit = 100'000'000;
  std::int64_t total = 0;
  for (; reader.at_digit(); unit /= 10) total += reader.digits(1) * unit;
  return nanoseconds(total);
}

minutes read_offset(Reader& reader) {
  if (reader.skip('Z')) return {};
  const bool west = reader.skip('-');
  if (!west) reader.need('+');
  const int hour = reader.digits(2);
  reader.need(':');
  const auto offset = hours(hour) + minutes(reader.digits(2));
  return west ? -offset : offset;
}

}  // namespace

std::string format_time(WallTime time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string format_micro_time(WallTime time) {
  const auto micros = floor<microseconds>(time - floor<seconds>(time));
  auto text = format_time(time);
  text.pop_back();
  return text + fmt::format(".{:06}Z", micros.count());
}

std::string go_time_string(WallTime time) {
  auto text = format_time(time);
  text.pop_back();
  text[text.find('T')] = ' ';
  const auto nanos = duration_cast<nanoseconds>(time - floor<seconds>(time)).count();
  if (nanos != 0) {
    text += fmt::format(".{:09}", nanos);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + " +0000 UTC";
}

std::optional<WallTime> parse_time(std::string_view text) {
  Reader reader(text);
  const int year_number = reader.digits(4);
  reader.need('-');
  const int month_number = reader.digits(2);
  reader.need('-');
  const int day_number = reader.digits(2);
  reader.need('T');
  const int hour = reader.digits(2);
  reader.need(':');
  const int minute = reader.digits(2);
  reader.need(':');
  const int second = reader.digits(2);
  const auto fraction = read_fraction(reader);
  const auto offset = read_offset(reader);
  const year_month_day date(year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number)));
  if (!reader.finished() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  // The nanoseconds of a system clock end in 2262 and begin in 1677; a lease beyond that is
  // nonsense.
  if (year_number < 1678 || year_number > 2261) return std::nullopt;
  const auto whole = sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
  return WallTime(whole) + duration_cast<WallTime::duration>(fraction);
}

}  // namespace kube
