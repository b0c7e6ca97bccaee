#include "tunnel/agent/link_headers.h"

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

#include "http/h2_session.h"

namespace tunnel {
namespace {

using base::Code;
using base::fail;
using base::Result;

// The value of a header that must be there once.
Result<std::string> single(const http::Headers& headers, std::string_view name) {
  const std::size_t found = http::count(headers, name);
  if (found != 1)
    return fail(Code::invalid,
                fmt::format("the server sent {} {} headers instead of one", found, name));
  return *http::find(headers, name);
}

}  // namespace

Result<Introduction> introduce(const AgentIdentity& identity) {
  Introduction introduction{identity.agent_id, identity.identifiers, ""};
  if (identity.token_file.empty()) return introduction;
  std::ifstream in(identity.token_file, std::ios::binary);
  const std::string what =
      "read the service account token " + identity.token_file + " (--service-account-token-path)";
  if (!in) return fail(base::system_error(errno, what));
  std::string token{std::istreambuf_iterator<char>(in), {}};
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty()) return fail(Code::invalid, what + ": the file is empty");
  introduction.token = std::move(token);
  return introduction;
}

Result<Welcome> read_welcome(const http::Headers& headers, const ServerHeaders& names) {
  Welcome welcome;
  TRY(welcome.server_id, single(headers, names.id));
  TRY(const std::string count, single(headers, names.count));
  const auto [end, error] =
      std::from_chars(count.data(), count.data() + count.size(), welcome.server_count);
  if (error != std::errc() || end != count.data() + count.size())
    return fail(Code::invalid, fmt::format("the server's count \"{}\" is not a number", count));
  return welcome;
}

}  // namespace tunnel
