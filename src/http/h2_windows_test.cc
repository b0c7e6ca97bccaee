#include <vector>

#include <gtest/gtest.h>

#include "http/h2_session.h"

namespace http {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWindow = 100'000;
constexpr std::uint32_t kLargest = 800'000;
constexpr async::Duration kRoundTrip = 20ms;

class Listens : public H2StreamHandler {
 public:
  struct Heard {
    std::string body;
    std::size_t sent = 0;
    int drained = 0;
    std::optional<std::uint32_t> closed;
  };
  explicit Listens(Heard& heard) : heard_(heard) {}
  void on_headers(const Headers&) override {}
  void on_data(base::Pieces pieces) override {
    for (const base::Bytes bytes : pieces) heard_.body += base::as_text(bytes);
  }
  void on_end() override {}
  void on_sent(std::size_t bytes) override { heard_.sent += bytes; }
  void on_drained() override { ++heard_.drained; }
  void on_close(std::uint32_t error) override { heard_.closed = error; }

 private:
  Heard& heard_;
};

struct Open {
  H2Stream* stream = nullptr;
  Listens::Heard heard;
};

class Side : public H2Session::Events {
 public:
  explicit Side(const H2Session::Options& options) : session(options, *this) {}
  std::unique_ptr<H2StreamHandler> on_request(H2Stream& stream, const Headers&) override {
    requests.push_back(std::make_unique<Open>());
    requests.back()->stream = &stream;
    return std::make_unique<Listens>(requests.back()->heard);
  }
  void on_output() override {}
  void on_ping_acknowledged() override { ++pings; }
  void on_goaway(std::uint32_t) override {}

  std::vector<std::unique_ptr<Open>> requests;
  int pings = 0;
  H2Session session;
};

// A sender and a reader whose windows may grow, joined in memory; the clock stands still.
class H2Windows : public ::testing::Test {
 protected:
  static bool move(Side& from, Side& to, std::size_t limit = 1 << 20) {
    base::BufferQueue out;
    EXPECT_TRUE(from.session.produce(out, limit));
    const bool any = !out.empty();
    while (!out.empty()) EXPECT_TRUE(to.session.receive(out.pop().bytes()));
    return any;
  }
  void exchange() {
    while (move(sender, reader) || move(reader, sender)) {
    }
  }
  Open& open() {
    Open& it = *opened.emplace_back(std::make_unique<Open>());
    auto stream = sender.session.request({{":method", "CONNECT"}, {":authority", "a:1"}},
                                         std::make_unique<Listens>(it.heard));
    EXPECT_TRUE(stream);
    it.stream = *stream;
    exchange();
    return it;
  }
  // The reader learns how long the way is.
  void measure(async::Duration round_trip) {
    reader.session.ping();
    move(reader, sender);
    clock.advance(round_trip);
    exchange();
  }
  // The reader takes what has come of a stream; the sender hears of it in time.
  std::size_t take(std::size_t of = 0) {
    Open& it = *reader.requests[of];
    const std::size_t count = it.heard.body.size();
    it.stream->consume(count);
    it.heard.body.clear();
    return count;
  }
  // One round trip: the sender sends what it may, the reader takes it all at once.
  void round() {
    move(sender, reader);
    for (std::size_t i = 0; i < reader.requests.size(); ++i) take(i);
    clock.advance(kRoundTrip / 2);
    move(reader, sender);
    clock.advance(kRoundTrip / 2);
  }
  // A sender that always has more, for so many round trips.
  void hurry(int rounds) {
    const std::vector<std::uint8_t> bulk(20'000'000, 'x');
    for (const auto& it : opened) it->stream->send(base::Bytes(bulk));
    while (rounds-- > 0) round();
  }

  std::vector<std::unique_ptr<Open>> opened;
  async::Loop loop;
  async::ManualClock clock{loop.get_executor()};
  base::MemoryBudget grown{1'000'000};
  const H2Session::WindowPolicy policy{clock, grown, kLargest};
  Side sender{{.role = H2Session::Role::client}};
  Side reader{{.role = H2Session::Role::server,
               .stream_window = kWindow,
               .connection_window = 1 << 30,
               .max_streams = 3,
               .windows = &policy}};
};

TEST_F(H2Windows, measure_the_round_trip_by_pings) {
  EXPECT_EQ(reader.session.round_trip(), 0ns);
  measure(30ms);
  EXPECT_EQ(reader.session.round_trip(), 30ms);
  measure(20ms);
  EXPECT_EQ(reader.session.round_trip(), 20ms);
}

TEST_F(H2Windows, take_no_round_trip_from_an_answer_to_no_ping) {
  measure(20ms);
  const std::string forged = std::string("\0\0\x08\x06\x01\0\0\0\0", 9);
  for (const std::string_view payload :
       {std::string_view("\0\0\0\0\0\0\0\x80", 8), std::string_view("\1\0\0\0\0\0\0\0", 8),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\x7f", 8)}) {
    ASSERT_TRUE(reader.session.receive(base::as_bytes(forged + std::string(payload))));
  }
  EXPECT_EQ(reader.session.round_trip(), 20ms);
}

TEST_F(H2Windows, double_while_they_are_what_limits_the_sender) {
  open();
  measure(kRoundTrip);
  hurry(1);
  EXPECT_EQ(grown.used(), 0u);  // the first look
  hurry(1);
  EXPECT_EQ(grown.used(), kWindow);
  hurry(2);
  EXPECT_GT(grown.used(), 2 * kWindow);
}

TEST_F(H2Windows, let_the_sender_have_as_much_under_way_as_they_say) {
  open();
  measure(kRoundTrip);
  hurry(2);
  ASSERT_EQ(grown.used(), kWindow);
  exchange();
  EXPECT_EQ(reader.requests[0]->heard.body.size(), 2 * kWindow);
}

// The library tells of what was read by halves, so the second half may wait for the first.
TEST_F(H2Windows, double_where_half_of_them_goes_through_in_a_round_trip) {
  open().stream->send(base::as_bytes(std::string(4 << 20, 'x')));
  exchange();
  measure(kRoundTrip);
  for (int i = 0; i < 2; ++i) {
    reader.requests[0]->stream->consume(kWindow / 2);
    clock.advance(kRoundTrip / 2);
    move(reader, sender);
    clock.advance(kRoundTrip / 2);
    exchange();
  }
  EXPECT_EQ(grown.used(), kWindow);
}

TEST_F(H2Windows, stay_for_a_reader_that_is_slower_than_they_are) {
  open().stream->send(base::as_bytes(std::string(4 << 20, 'x')));
  exchange();
  for (int i = 0; i < 20; ++i) {
    clock.advance(10 * kRoundTrip);
    EXPECT_EQ(take(), kWindow);
    measure(kRoundTrip);
  }
  EXPECT_EQ(grown.used(), 0u);
}

TEST_F(H2Windows, grow_no_further_than_the_largest) {
  open();
  measure(kRoundTrip);
  hurry(20);
  EXPECT_EQ(grown.used(), kLargest - kWindow);
}

TEST_F(H2Windows, grow_no_further_than_the_budget_and_give_back_what_they_had) {
  Open& first = open();
  open();
  measure(kRoundTrip);
  hurry(20);
  EXPECT_LE(grown.used(), grown.limit());
  EXPECT_GT(grown.used(), grown.limit() / 2);
  first.stream->reset(H2Error::cancel);
  exchange();
  EXPECT_LE(grown.used(), kLargest - kWindow);
  EXPECT_GT(grown.used(), 0u);
  reader.session.close_streams(H2Error::connection_lost);
  EXPECT_EQ(grown.used(), 0u);
}

// The stream's own window is out of the way; what counts is what has come and was not read.
TEST_F(H2Windows, hold_bulk_back_on_the_whole_connection_while_somebody_says_little) {
  Listens::Heard bulk_heard, little_heard;
  Side wide({.role = H2Session::Role::server,
             .stream_window = 1 << 30,
             .connection_window = 1 << 30,
             .windows = &policy});
  Side talker({.role = H2Session::Role::client});
  const auto settle = [&] {
    while (move(talker, wide) || move(wide, talker)) {
    }
  };
  const auto begin = [&](Listens::Heard& heard) {
    return *talker.session.request({{":method", "CONNECT"}, {":authority", "a:1"}},
                                   std::make_unique<Listens>(heard));
  };
  const auto under_way = [&](H2Stream& bulk) {
    bulk.send(base::as_bytes(std::string(8 << 20, 'b')));
    base::BufferQueue out;
    EXPECT_TRUE(talker.session.produce(out, 16 << 20));
    const std::size_t size = out.size();
    while (!out.empty()) EXPECT_TRUE(wide.session.receive(out.pop().bytes()));
    settle();
    return size;
  };
  const auto go_on_alone = [&](H2Stream& bulk) {
    for (int i = 0; i < 3; ++i) {
      under_way(bulk);
      clock.advance(ConnectionWindow::kPresence / 2);
    }
    under_way(bulk);
  };
  H2Stream& bulk = *begin(bulk_heard);
  H2Stream& little = *begin(little_heard);
  settle();
  go_on_alone(bulk);
  EXPECT_GT(under_way(bulk), ConnectionWindow::kRoomy / 2);
  little.send(base::as_bytes("key"));
  settle();
  under_way(bulk);  // what it was allowed before goes first
  EXPECT_LE(under_way(bulk), ConnectionWindow::kLeast + 8192);
  go_on_alone(bulk);
  EXPECT_GT(under_way(bulk), ConnectionWindow::kRoomy / 2);
}

TEST_F(H2Windows, lose_nothing_of_the_connection_to_streams_that_are_reset) {
  for (std::size_t sent = 0; sent < std::size_t{2} * ConnectionWindow::kRoomy; sent += kWindow) {
    open().stream->send(base::as_bytes(std::string(kWindow, 'x')));
    move(sender, reader, kWindow / 2);
    reader.requests.back()->stream->reset(H2Error::cancel);
    base::BufferQueue late;
    ASSERT_TRUE(sender.session.produce(late, kWindow));
    move(reader, sender);
    while (!late.empty()) ASSERT_TRUE(reader.session.receive(late.pop().bytes()));
    exchange();
  }
  open().stream->send(base::as_bytes(std::string(kWindow, 'x')));
  exchange();
  EXPECT_EQ(reader.requests.back()->heard.body.size(), kWindow);
}

TEST_F(H2Windows, tell_how_much_may_be_queued) {
  H2Stream& stream = *open().stream;
  constexpr std::size_t kLimit = 1000;
  EXPECT_EQ(stream.space(kLimit), kWindow);  // goes at once
  stream.send(base::as_bytes(std::string(kWindow + 100, 'x')));
  EXPECT_EQ(stream.space(kLimit), 0u);
  exchange();
  EXPECT_EQ(stream.space(kLimit), kLimit - 100);
}

TEST_F(H2Windows, tell_how_much_has_been_sent) {
  Open& it = open();
  it.stream->send(base::as_bytes(std::string(150'000, 'x')));
  exchange();
  EXPECT_EQ(it.heard.sent, kWindow);
  EXPECT_EQ(it.heard.drained, 1);
  take();
  exchange();
  EXPECT_EQ(it.heard.sent, 150'000u);
  EXPECT_EQ(it.heard.drained, 2);
}

TEST_F(H2Windows, serve_a_stream_that_says_little_before_those_that_always_have_more) {
  Listens::Heard bulk_heard, little_heard;
  Side wide(
      {.role = H2Session::Role::server, .stream_window = 8 << 20, .connection_window = 1 << 30});
  Side talker({.role = H2Session::Role::client});
  const auto begin = [&](Listens::Heard& heard) {
    return *talker.session.request({{":method", "CONNECT"}, {":authority", "a:1"}},
                                   std::make_unique<Listens>(heard));
  };
  H2Stream* bulk = begin(bulk_heard);
  H2Stream* little = begin(little_heard);
  while (move(talker, wide) || move(wide, talker)) {
  }
  bulk->send(base::as_bytes(std::string(4 << 20, 'b')));
  while (wide.requests[0]->heard.body.size() < 1 << 20) move(talker, wide, 100'000);
  const std::size_t before = wide.requests[0]->heard.body.size();
  for (int i = 0; i < 20; ++i) {
    little->send(base::as_bytes("key"));
    move(talker, wide, 100'000);
    EXPECT_EQ(wide.requests[1]->heard.body.size(), 3u * static_cast<unsigned>(i + 1));
  }
  EXPECT_GT(wide.requests[0]->heard.body.size(), before);  // and the bulk goes on
}

TEST_F(H2Windows, share_a_link_among_streams_that_always_have_more) {
  Open& first = open();
  Open& second = open();
  for (Open* it : {&first, &second}) it->stream->send(base::as_bytes(std::string(90'000, 'x')));
  move(sender, reader, 60'000);
  EXPECT_GT(reader.requests[0]->heard.body.size(), 15'000u);
  EXPECT_GT(reader.requests[1]->heard.body.size(), 15'000u);
}

TEST_F(H2Windows, open_no_more_streams_than_the_peer_allows) {
  for (int i = 0; i < 3; ++i) open();
  const auto fourth =
      sender.session.request({{":method", "CONNECT"}, {":authority", "a:1"}}, [](H2Stream&) {
        ADD_FAILURE() << "opened";
        return nullptr;
      });
  ASSERT_FALSE(fourth);
  EXPECT_TRUE(fourth.error().is(base::Code::exhausted));
  EXPECT_EQ(fourth.error().message, "the peer allows 3 streams at once");
}

}  // namespace
}  // namespace http
