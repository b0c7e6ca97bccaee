#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"

namespace cli {

/// What a word on a command line may become.
struct Completion {
  struct Candidate {
    std::string word;
    std::string about;
  };
  std::vector<Candidate> candidates;
  bool files = false;  // names of files are meant
};

/// `words` are those behind the program's name up to the cursor; the last is the one to complete,
/// maybe empty.
Completion complete(const Command& root, std::span<const std::string> words);

}  // namespace cli
