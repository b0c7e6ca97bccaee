#pragma once

#include <map>
#include <string>
#include <vector>

#include "async/task.h"

namespace kube {

struct Command {
  std::string program;  // a path, or a name to look up in PATH
  std::vector<std::string> args;
  std::map<std::string, std::string> env;  // added to ours
};

/// Runs a program without standard input until it ends and gives what it wrote to standard output;
/// its standard error is ours. An error unless it exits with 0; Code::not_found when there is no
/// such program; Code::exhausted when it writes more than 1 MiB. Cancelling kills it.
async::Task<std::string> run_command(Command command);

}  // namespace kube
