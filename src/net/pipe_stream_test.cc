#include "net/pipe_stream.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "async/testing/run.h"

namespace net {
namespace {

class PipeStreamTest : public ::testing::Test {
 protected:
  PipeStreamTest() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::pipe(in_.data()), 0);
    EXPECT_EQ(::pipe(out_.data()), 0);
    stream = *make_pipe_stream(loop.get_executor(), in_[0], out_[1]);
  }
  ~PipeStreamTest() override {
    stream.reset();
    for (const int descriptor : {in_[0], in_[1], out_[0], out_[1]}) ::close(descriptor);
  }
  std::string read() {
    std::string text(64, '\0');
    const auto count = async::testing::run(
        loop, stream->read_some({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
    text.resize(count.value_or(0));
    return text;
  }
  void close_in() { ::close(std::exchange(in_[1], ::dup(out_[0]))); }

  async::Loop loop;
  std::array<int, 2> in_, out_;
  std::unique_ptr<Stream> stream;
};

TEST_F(PipeStreamTest, reads_until_the_end) {
  ASSERT_EQ(::write(in_[1], "hello", 5), 5);
  EXPECT_EQ(read(), "hello");
  std::array<std::uint8_t, 8> block;
  EXPECT_FALSE(stream->try_read(block));
  close_in();
  EXPECT_EQ(*stream->try_read(block)->operator->(), 0U);
}

TEST_F(PipeStreamTest, writes_and_lets_the_flags_of_both_alone) {
  const int before = ::fcntl(out_[1], F_GETFL);
  ASSERT_TRUE(async::testing::run(loop, stream->write_all(base::as_bytes(std::string("hello")))));
  ASSERT_EQ(::write(in_[1], "x", 1), 1);
  EXPECT_EQ(read(), "x");
  std::array<char, 8> block;
  EXPECT_EQ(::read(out_[0], block.data(), block.size()), 5);
  EXPECT_EQ(::fcntl(out_[1], F_GETFL), before);
  EXPECT_EQ(before & O_NONBLOCK, 0);
}

TEST_F(PipeStreamTest, fails_to_write_when_the_reader_has_gone) {
  ::close(std::exchange(out_[0], ::dup(in_[0])));
  const auto written =
      async::testing::run(loop, stream->write_all(base::as_bytes(std::string("hello"))));
  EXPECT_FALSE(written);
}

TEST_F(PipeStreamTest, reads_a_file) {
  std::FILE* file = std::tmpfile();
  std::fputs("content", file);
  std::fflush(file);
  stream = *make_pipe_stream(loop.get_executor(), ::fileno(file), out_[1]);
  ::lseek(::fileno(file), 0, SEEK_SET);
  EXPECT_TRUE(async::testing::run(loop, stream->wait_readable()));
  EXPECT_EQ(read(), "content");
  EXPECT_EQ(read(), "");
  std::fclose(file);
}

}  // namespace
}  // namespace net
