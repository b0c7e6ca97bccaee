#pragma once

#include <optional>
#include <span>
#include <string>

#include "async/task.h"
#include "base/buffer.h"
#include "base/bytes.h"

namespace net {

/// A two-way stream of bytes: TCP, Unix socket, TLS, a tunnel, or a pipe in memory.
///
/// One reader and one writer at a time, both may be at work at once. Not for use by two coroutines
/// on the same side. Thread: that of the loop it was made on.
class Stream {
 public:
  virtual ~Stream() = default;

  /// At least one byte, or 0 at the end of the stream: the peer finished writing. Code::closed when
  /// the peer vanished.
  virtual async::Task<std::size_t> read_some(base::MutableBytes into) = 0;
  /// What read_some() would return at once; nothing when it would wait.
  virtual std::optional<base::Result<std::size_t>> try_read(base::MutableBytes into) = 0;
  /// The same into several places, one after the other, where one system call can: else into the
  /// first alone.
  virtual std::optional<base::Result<std::size_t>> try_read(
      std::span<const base::MutableBytes> into) {
    return try_read(into.front());
  }
  /// Returns once read_some() would not wait. Lets an idle connection hold no buffer.
  virtual async::Task<void> wait_readable() = 0;
  /// After the end of the stream was read: returns once the peer is known to have gone for good, so
  /// that it takes no bytes either. A peer that only finished writing may never be seen to go.
  virtual async::Task<void> wait_gone() = 0;
  /// A wait_readable() or wait_gone() in progress ends with Code::cancelled, though its task is not
  /// cancelled: for those who have to look at something else. Writes in progress go on.
  virtual void interrupt() = 0;
  /// Returns when all bytes are handed over.
  virtual async::Task<void> write_all(base::Bytes bytes) = 0;
  /// The same for a whole queue, which is empty afterwards; in as few system calls as possible.
  virtual async::Task<void> write_all(base::BufferQueue& queue);
  /// Takes what can go at once, maybe nothing. Not while a write is in progress.
  virtual std::size_t try_write(base::Pieces) { return 0; }
  /// Something that try_write() took waits here for the system: the next write_all(), of nothing
  /// if need be, sends it.
  virtual bool unsent() const { return false; }
  /// Tells the peer that no more bytes come; reading goes on.
  virtual async::Task<void> shutdown_write() = 0;
  /// Ends both directions at once; operations in progress end with an error. May be called twice.
  virtual void close() = 0;
  /// As close(), but the peer sees a reset where the transport has one, so that it cannot take a
  /// truncated stream for a whole one.
  virtual void abort() = 0;

  /// Moves the stream to another loop, where it may be used from then on. Only while nothing is in
  /// progress on it. False: this kind cannot be moved.
  virtual bool move_to(async::Executor /*executor*/) { return false; }
  /// The descriptor underneath, for what only the system can tell; -1 when there is none.
  virtual int descriptor() = 0;
  /// "10.0.0.7:4312", "[::1]:80", "unix:/run/x.sock": for logs. "unknown" when the
  /// connection has ended.
  virtual std::string peer() const = 0;
};

/// Reads a stream in blocks. No block is held while waiting, and a stream that always has more lets
/// whatever else is ready on the loop run first. `stream` outlives it.
class BlockReader {
 public:
  explicit BlockReader(Stream& stream) : stream_(stream) {}

  /// To be awaited before each take().
  async::Task<void> wait();
  /// The next bytes, at most `limit`; an empty block is the end. Nothing when there is none yet.
  std::optional<base::Result<base::Buffer>> take(std::size_t limit = base::Buffer::kBlock);
  /// The same, up to `blocks` of them, eight at most, all but the last full. None is the end.
  std::optional<base::Result<base::BufferQueue>> take(std::size_t limit, std::size_t blocks);
  /// What has come, more at once and without a block to keep it: what is returned is gone when the
  /// caller waits for something.
  std::optional<base::Result<base::Bytes>> view();

 private:
  std::optional<base::Result<std::size_t>> note(std::optional<base::Result<std::size_t>> count);
  Stream& stream_;
  bool more_ = false;  // the last block held much: the stream may have more at once
};

}  // namespace net
