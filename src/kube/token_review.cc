#include "kube/token_review.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/id.h"
#include "kube/request.h"

namespace kube {

using base::Code;

namespace {

std::vector<std::string> texts_at(const json::object& parent, std::string_view name) {
  std::vector<std::string> texts;
  const auto* value = parent.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_array()) return texts;
  for (const auto& each : value->get_array()) {
    if (const auto* text = each.if_string()) texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

bool share_any(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(
      a, [&](const std::string& each) { return std::ranges::find(b, each) != b.end(); });
}

/// HMAC-SHA-256: without the key of this process, a copy of its memory does not tell which tokens
/// it saw.
std::string keyed_hash(const std::string& key, const std::string& token,
                       const std::vector<std::string>& audiences) {
  auto text = token;
  for (const auto& audience : audiences) text += '\0' + audience;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

}  // namespace

json::object token_review(std::string_view token, const std::vector<std::string>& audiences) {
  json::object spec{{"token", json::string(token.data(), token.size())}};
  json::array wanted(audiences.begin(), audiences.end());
  if (!wanted.empty()) spec["audiences"] = std::move(wanted);
  return {{"apiVersion", "authentication.k8s.io/v1"},
          {"kind", "TokenReview"},
          {"spec", std::move(spec)}};
}

base::Result<ReviewedUser> read_token_review(const json::object& review,
                                             const std::vector<std::string>& audiences) {
  const auto refuse = [](std::string reason) {
    return base::fail(Code::unauthenticated, "token review: " + reason);
  };
  const auto& status = object_at(review, "status");
  if (const auto error = text_at(status, "error"); !error.empty()) {
    return refuse(std::string(error));
  }
  if (!true_at(status, "authenticated")) return refuse("the token is not valid");
  const auto granted = texts_at(status, "audiences");
  if (!granted.empty() && !audiences.empty() && !share_any(granted, audiences)) {
    return refuse("the token is for another audience");
  }
  const auto& user = object_at(status, "user");
  return ReviewedUser{.username = std::string(text_at(user, "username")),
                      .uid = std::string(text_at(user, "uid")),
                      .groups = texts_at(user, "groups")};
}

base::Result<void> check_service_account(std::string_view username, std::string_view in_namespace,
                                         std::string_view name) {
  const auto wanted = fmt::format("system:serviceaccount:{}:{}", in_namespace, name);
  // A colon inside a name would let one pair of names pass for another.
  const bool clean = !in_namespace.contains(':') && !name.contains(':');
  if (clean && username == wanted) return {};
  return base::fail(Code::forbidden,
                    fmt::format("the token is that of \"{}\", not of \"{}\"", username, wanted));
}

/// Marks a key as under review, until the review ends in whatever way.
class TokenReviewer::InReview {
 public:
  InReview(TokenReviewer& reviewer, std::string key) : reviewer_(reviewer), key_(std::move(key)) {
    reviewer_.in_review_.insert(key_);
  }
  InReview(const InReview&) = delete;
  ~InReview() {
    reviewer_.in_review_.erase(key_);
    reviewer_.review_ended_.notify_all();
  }

 private:
  TokenReviewer& reviewer_;
  std::string key_;
};

TokenReviewer::TokenReviewer(async::Loop& loop, Client& client, Options options)
    : client_(client),
      options_(options),
      hash_key_(base::random_uuid() + base::random_uuid()),
      review_ended_(loop.get_executor()) {}

const TokenReviewer::Verdict* TokenReviewer::find(const std::string& key) {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return nullptr;
  if (found->second.until > client_.clock().now()) return &found->second;
  kept_.erase(found);
  return nullptr;
}

void TokenReviewer::keep(std::string key, base::Result<ReviewedUser> result) {
  const auto now = client_.clock().now();
  if (kept_.size() >= options_.max_kept) {
    std::erase_if(kept_, [&](const auto& each) { return each.second.until <= now; });
  }
  // Full of fresh answers: this one is asked for again, which is slower but right.
  if (kept_.size() >= options_.max_kept) return;
  const auto until = now + (result ? options_.keep_good : options_.keep_bad);
  kept_.insert_or_assign(std::move(key), Verdict{std::move(result), until});
}

Task<ReviewedUser> TokenReviewer::authenticate(std::string token,
                                               std::vector<std::string> audiences) {
  auto key = keyed_hash(hash_key_, token, audiences);
  while (in_review_.contains(key)) CO_TRY_VOID(co_await review_ended_.wait());
  if (const auto* verdict = find(key)) co_return Result<ReviewedUser>(verdict->result);
  co_return co_await review(std::move(key), std::move(token), std::move(audiences));
}

Task<ReviewedUser> TokenReviewer::review(std::string key, std::string token,
                                         std::vector<std::string> audiences) {
  const InReview mark(*this, key);
  const Api reviews({"authentication.k8s.io", "v1", "tokenreviews"}, "");
  auto request = reviews.create(token_review(token, audiences));
  request.repeatable = true;  // it changes nothing
  CO_TRY(const auto answer, co_await client_.send(std::move(request)));
  const auto* object = answer.if_object();
  auto result = read_token_review(object != nullptr ? *object : json::object(), audiences);
  keep(std::move(key), result);
  co_return Result<ReviewedUser>(std::move(result));
}

}  // namespace kube
