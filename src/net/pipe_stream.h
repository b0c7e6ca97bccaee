#pragma once

#include <memory>

#include "net/stream.h"

namespace net {

/// A Stream that reads from one descriptor and writes to another: a program's standard input and
/// output, whatever they are: pipes, terminals, files, sockets. Their flags stay as they are, since
/// other programs share them. `in` and `out` are not closed, but duplicates of them are used. The
/// process ignores SIGPIPE.
base::Result<std::unique_ptr<Stream>> make_pipe_stream(async::Executor executor, int in, int out);

}  // namespace net
