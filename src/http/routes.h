#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"

namespace http {

/// What a handler gets to see of a request.
struct ServerRequest {
  std::string method;
  std::string path;   // without the query, as sent
  std::string query;  // without '?'
  std::string host;   // the header field Host, or ""

  /// True for "?name", "?name=x", "?a&name".
  bool has_parameter(std::string_view name) const;
  /// The value of the first "name=value", as sent, or "".
  std::string parameter(std::string_view name) const;
};

struct ServerResponse {
  unsigned status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> fields;  // further header fields
};

/// Which handler answers which path. Paths match whole, but "/debug/" with a final slash also
/// matches what is below it. Handlers answer GET and HEAD; they run on the loop and must not block.
class Routes {
 public:
  using Handler = std::function<ServerResponse(const ServerRequest&)>;
  /// One that has to wait for something. What it refers to outlives the server.
  using SlowHandler = std::function<async::Task<ServerResponse>(ServerRequest)>;

  void get(std::string path, Handler handler);
  void get_slowly(std::string path, SlowHandler handler);
  /// 404 for an unknown path, 405 for another method than GET and HEAD. Fails when a slow handler
  /// does.
  async::Task<ServerResponse> serve(ServerRequest request) const;
  /// The same at once, for paths that have no slow handler.
  ServerResponse answer(const ServerRequest& request) const;

 private:
  struct Entry {
    Handler handler;
    SlowHandler slow;  // if there is one, it counts
  };
  const Entry* find(std::string_view path) const;

  std::map<std::string, Entry, std::less<>> handlers_;
};

/// A plain text answer with one of the statuses that mean failure, as Go's http.Error.
ServerResponse error_response(unsigned status, std::string text);

/// 301 to `location`, which may be relative.
ServerResponse redirect_response(std::string location);

}  // namespace http
