#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "async/event.h"
#include "kube/client.h"

namespace kube {

/// Who a token belongs to, as the API server says.
struct ReviewedUser {
  std::string username;
  std::string uid;
  std::vector<std::string> groups;
};

/// The TokenReview to send.
boost::json::object token_review(std::string_view token, const std::vector<std::string>& audiences);
/// What a reviewed TokenReview says. Code::unauthenticated when the token is not good: status.error
/// is set, authenticated is not true, or status.audiences names none of `audiences` (when it names
/// any: an API server that knows nothing of audiences leaves it empty).
base::Result<ReviewedUser> read_token_review(const boost::json::object& review,
                                             const std::vector<std::string>& audiences);

/// Whether `username` is that of service account `name` in `in_namespace`: exactly
/// "system:serviceaccount:NAMESPACE:NAME". Code::forbidden says what it is instead.
base::Result<void> check_service_account(std::string_view username, std::string_view in_namespace,
                                         std::string_view name);

/// Asks the API server whose a token is.
///
/// Answers are kept for a short while, so that a crowd of agents that reconnects does not become a
/// storm of requests; the same token under review twice at once is sent once. Tokens are kept only
/// as a keyed hash. Failures to ask are not kept. Thread: that of the loop. `client` outlives it.
class TokenReviewer {
 public:
  struct Options {
    std::chrono::seconds keep_good{60};  // also how long a revoked token may go on working
    std::chrono::seconds keep_bad{10};
    std::size_t max_kept = 20000;
  };
  TokenReviewer(async::Loop& loop, Client& client, Options options);
  TokenReviewer(async::Loop& loop, Client& client) : TokenReviewer(loop, client, Options()) {}

  /// Code::unauthenticated when the token is not good; other codes when the API server could not be
  /// asked.
  Task<ReviewedUser> authenticate(std::string token, std::vector<std::string> audiences);
  std::size_t kept() const { return kept_.size(); }

 private:
  struct Verdict {
    base::Result<ReviewedUser> result;
    async::TimePoint until;
  };
  class InReview;
  const Verdict* find(const std::string& key);
  void keep(std::string key, base::Result<ReviewedUser> result);
  Task<ReviewedUser> review(std::string key, std::string token, std::vector<std::string> audiences);

  Client& client_;
  Options options_;
  const std::string hash_key_;
  std::map<std::string, Verdict> kept_;
  std::set<std::string> in_review_;
  async::Event review_ended_;
};

}  // namespace kube
