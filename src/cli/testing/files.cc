#include "cli/testing/files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace cli::testing {
namespace {

class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cli-test-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::string file(std::string_view name, std::string_view content) {
  static const Directory directory;
  const std::filesystem::path path = directory.path() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << content;
  return path.string();
}

}  // namespace cli::testing
