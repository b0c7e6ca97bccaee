#include "cli/pki_command.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "async/clock.h"
#include "cli/rules.h"
#include "pki/store.h"

namespace cli {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::string_view kDefaultFolder = "pki";
constexpr char kSection[] = "pki";
constexpr std::int64_t kMostDays = 36500;

pki::Store::Time wall_now() { return async::SystemClock().wall_now(); }

/// What all of them have.
class PkiAction : public Action {
 public:
  PkiAction() {
    flags_.section("Flags");
    flags_.reach(FlagReach::command);
    flags_.add_string("dir", folder_,
                      "Folder of the certificate authority and of what it has issued.");
  }
  FlagSet& flags() override { return flags_; }

 protected:
  void add_days(std::string usage) { flags_.add_int("days", days_, std::move(usage)); }
  Result<void> check_days() const {
    if (days_ >= 1 && days_ <= kMostDays) return {};
    return bad_flag("--days", fmt::to_string(days_), fmt::format("want 1 to {}", kMostDays));
  }
  std::chrono::seconds life() const { return std::chrono::hours(24) * days_; }

  std::string folder_{kDefaultFolder};
  std::int64_t days_ = 365;
  FlagSet flags_;
};

class Init : public PkiAction {
 public:
  Init() {
    flags_.reach(FlagReach::once);
    flags_.add_string("name", name_, "What the authority calls itself, in all it signs.");
  }

  Result<void> prepare(const Invocation& invocation) override {
    if (!invocation.arguments.empty())
      return fail(Code::invalid,
                  fmt::format("unexpected argument \"{}\"", invocation.arguments[0]));
    return {};
  }

  Result<int> run(const Invocation& invocation) override {
    TRY(const auto store, pki::Store::create(folder_, name_, wall_now()));
    invocation.console.out(
        fmt::format("{0} holds a new certificate authority, good for ten years.\n"
                    "Keep {0}/ca.key on this machine; every other one needs {0}/ca.crt and its own "
                    "certificate and key.\nNext: cluster-proxy pki issue server NAME...\n",
                    folder_));
    return 0;
  }

 private:
  std::string name_ = "cluster-proxy";
};

/// One kind of certificate.
class Issue : public PkiAction {
 public:
  explicit Issue(pki::Role role) : role_(role) {
    add_days("Days that the certificate is good for, at most the authority's own.");
    // Who a certificate is for has to be said where it is made.
    flags_.reach(FlagReach::once);
    flags_.add_string("name", name_,
                      "Name of the files, without ending. Empty means server, agent-CLUSTER or "
                      "client-NAME.");
    if (role == pki::Role::client) {
      flags_.add_array("organization", organizations_,
                       "Organization of the subject, for --allow-client and Kubernetes' groups. "
                       "May be given many times.");
    }
  }

  Result<void> prepare(const Invocation& invocation) override {
    TRY_VOID(check_days());
    const std::vector<std::string>& words = invocation.arguments;
    if (role_ != pki::Role::server && words.size() != 1) {
      return fail(Code::invalid,
                  fmt::format("want one {}", role_ == pki::Role::agent ? "name of a cluster"
                                                                       : "name of a client"));
    }
    TRY(spec_, spec(words));
    const bool named = !name_.empty();
    if (!named) name_ = default_name(words);
    auto checked = pki::check_store_name(name_);
    if (checked || named) return checked;
    return fail(Code::invalid, checked.error().message + "; give another with --name");
  }

  Result<int> run(const Invocation& invocation) override {
    TRY(const auto store, pki::Store::open(folder_));
    TRY_VOID(store.issue(name_, spec_, wall_now()));
    invocation.console.out(
        fmt::format("{}\n{}\n", store.certificate_path(name_), store.key_path(name_)));
    return 0;
  }

 private:
  Result<pki::LeafSpec> spec(const std::vector<std::string>& words) const {
    switch (role_) {
      case pki::Role::server:
        return pki::server_spec(words, life());
      case pki::Role::agent:
        return pki::agent_spec(words.front(), life());
      default:
        return pki::client_spec(words.front(), organizations_, life());
    }
  }

  std::string default_name(const std::vector<std::string>& words) const {
    if (role_ == pki::Role::server) return "server";
    return fmt::format("{}-{}", pki::to_string(role_), words.front());
  }

  pki::Role role_;
  std::string name_;
  std::vector<std::string> organizations_;
  pki::LeafSpec spec_;
};

/// The names given, or all.
Result<std::vector<std::string>> chosen(const pki::Store& store,
                                        const std::vector<std::string>& given) {
  TRY(auto all, store.names());
  if (given.empty()) return all;
  for (const std::string& name : given) {
    if (std::ranges::count(all, name) > 0) continue;
    return fail(Code::not_found,
                fmt::format("there is no {}; \"cluster-proxy pki show\" lists what there is",
                            store.certificate_path(name)));
  }
  return given;
}

class Show : public PkiAction {
 public:
  Show() {
    Flag& output =
        flags_.add_choice("output", output_, {"text", "json"}, "Form of the output: text or json.");
    flags_.set_shorthand(output, 'o');
  }

  Result<void> prepare(const Invocation&) override { return {}; }

  Result<int> run(const Invocation& invocation) override {
    TRY(const auto store, pki::Store::open(folder_));
    TRY(const auto names, chosen(store, invocation.arguments));
    std::vector<pki::StoredCertificate> found;
    for (const std::string& name : names) found.push_back(store.look_at(name));
    const auto now = wall_now();
    invocation.console.out(output_ == "json" ? pki::describe_json(found, now)
                                             : pki::describe(found, now));
    return 0;
  }

 private:
  std::string output_ = "text";
};

class Renew : public PkiAction {
 public:
  Renew() {
    days_ = 0;
    add_days("Days that the new certificate is good for. 0 means as many as the old one.");
    flags_.reach(FlagReach::once);
    flags_.add_switch("all", all_, "Renew every certificate of the folder but the authority's.");
  }

  Result<void> prepare(const Invocation& invocation) override {
    if (days_ != 0) TRY_VOID(check_days());
    if (invocation.arguments.empty() != all_)
      return fail(Code::invalid, "want names of certificates, or --all and none");
    return {};
  }

  Result<int> run(const Invocation& invocation) override {
    TRY(const auto store, pki::Store::open(folder_));
    TRY(auto names, chosen(store, invocation.arguments));
    if (all_) names.erase(names.begin());  // the authority's
    const auto life = days_ == 0 ? std::nullopt : std::optional(PkiAction::life());
    for (const std::string& name : names) {
      TRY_VOID(store.renew(name, life, wall_now()));
      invocation.console.out(store.certificate_path(name) + "\n");
    }
    return 0;
  }

 private:
  bool all_ = false;
};

template <typename Made>
std::function<std::unique_ptr<Action>()> maker() {
  return [] { return std::make_unique<Made>(); };
}

Command issue_one(pki::Role role, std::string usage, std::string summary, std::string text) {
  return {.name = std::string(pki::to_string(role)),
          .summary = std::move(summary),
          .usage = std::move(usage),
          .text = std::move(text),
          .settings = kSection,
          .make = [role] { return std::make_unique<Issue>(role); }};
}

Command issue_command() {
  return {
      .name = "issue",
      .summary = "Make a certificate and its key",
      .text = "Makes NAME.crt and NAME.key in the folder of the authority. Nothing is overwritten.",
      .commands = {
          issue_one(pki::Role::server, "HOST...",
                    "For a server, known by these names and addresses",
                    "Makes the certificate of a server. HOST is a name or an address by which "
                    "agents or clients know it; they refuse a server whose certificate does not "
                    "have the one that they were given."),
          issue_one(pki::Role::agent, "CLUSTER", "For the agents of a cluster",
                    "Makes the certificate of a cluster's agents. It names the cluster, so that a "
                    "server with --cluster-identity=enforce lets them serve that one only, and so "
                    "that it opens no frontend."),
          issue_one(pki::Role::client, "NAME", "For a client",
                    "Makes the certificate of a client: a person or a program that dials through "
                    "the server. What it may reach, the server's --allow-client says.")}};
}

}  // namespace

Command pki_command() {
  return {
      .name = "pki",
      .group = "Certificate Commands",
      .summary = "Make and renew certificates for use without Kubernetes",
      .text =
          "Keeps a certificate authority and what it has issued in one folder, which is for "
          "its owner only. Programs take renewed files by themselves.",
      .examples = {{"Everything for one server, the agents of one cluster, and one client",
                    "cluster-proxy pki init\ncluster-proxy pki issue server hub.example.com "
                    "10.0.0.5\ncluster-proxy pki issue agent cluster1\ncluster-proxy pki issue "
                    "client alice"},
                   {"What there is, who it is for, and until when", "cluster-proxy pki show"}},
      .commands = {{.name = "init",
                    .summary = "Make a certificate authority",
                    .text = "Makes the folder with the key and certificate of a new authority.",
                    .settings = kSection,
                    .make = maker<Init>()},
                   issue_command(),
                   {.name = "show",
                    .summary = "Tell who a certificate is for, what for, and until when",
                    .usage = "[NAME...]",
                    .text = "Describes the certificates of the folder, or those of these names, "
                            "with what is wrong with them.",
                    .settings = kSection,
                    .make = maker<Show>()},
                   {.name = "renew",
                    .summary = "Replace certificates before they end",
                    .usage = "NAME... | --all",
                    .text = "Replaces certificates and their keys: same subject, names and usages. "
                            "Copy them to where they are used; programs take them by themselves, "
                            "and connections go on.",
                    .settings = kSection,
                    .make = maker<Renew>()}}};
}

}  // namespace cli
