#include "net/dial.h"

#include <algorithm>
#include <optional>
#include <sys/un.h>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "net/address.h"
#include "net/connect_attempt.h"

namespace net {
namespace {

namespace asio = boost::asio;
using async::Task;
using base::Code;
using base::Error;
using base::fail;
using base::Result;
using Tcp = asio::ip::tcp;

constexpr async::Duration kAttemptDelay = std::chrono::milliseconds(250);  // RFC 8305, section 5
constexpr async::Duration kRenewAfter = std::chrono::seconds(1);

std::string name_of(const Tcp::endpoint& endpoint) {
  return join_host_port(endpoint.address().to_string(), endpoint.port());
}

// Leaves those that the policy lets pass; why not, when none is left.
Result<void> keep_permitted(const DialPolicy& policy, const HostPort& target,
                            Resolution::Endpoints& endpoints) {
  Result<void> refusal;
  std::erase_if(endpoints, [&](const Tcp::endpoint& endpoint) {
    auto verdict = policy.check_address(target, endpoint.address());
    const bool refused = !verdict;
    if (refused && refusal) refusal = std::move(verdict);
    return refused;
  });
  return endpoints.empty() ? refusal : Result<void>{};
}

}  // namespace

// A race of connection attempts over the addresses of one target: the first success wins, the
// others are dropped.
class Dial::Race {
 public:
  Race(async::Executor executor, async::Clock& clock, async::Event& changed,
       Resolution::Endpoints endpoints, async::Duration renew)
      : executor_(std::move(executor)),
        clock_(clock),
        changed_(changed),
        endpoints_(std::move(endpoints)),
        renew_(renew) {}

  bool decided() const { return winner_ || failed_ == endpoints_.size(); }
  /// When the next attempt is due though no other has failed.
  async::TimePoint next_due() const {
    const bool never = all_started() && renew_ == async::Duration::zero();
    return never ? async::TimePoint::max() : next_due_;
  }

  void start_due() {
    if (decided() || clock_.now() < next_due()) return;
    all_started() ? renew() : start_next();
  }

  void start_next() {
    if (decided() || all_started()) return;
    attempts_.push_back(std::make_shared<Attempt>(executor_, endpoints_[attempts_.size()]));
    next_due_ = clock_.now() + (all_started() ? renew_ : kAttemptDelay);
    follow(attempts_.back());
  }

  Result<Socket> result() {
    if (winner_) return winner_->take();
    return fail(*first_error_);
  }

 private:
  using Attempt = ConnectAttempt;

  bool all_started() const { return attempts_.size() == endpoints_.size(); }

  // The first attempts go on, for peers that take longer to answer than the time between two of
  // these. Their failures are told: an address that fails now fails them too.
  void renew() {
    again_ = std::make_shared<Attempt>(executor_, endpoints_[renewals_++ % endpoints_.size()]);
    next_due_ = clock_.now() + renew_;
    follow(again_);
  }

  // What waits may outlive the race, but not the attempt.
  void follow(const std::shared_ptr<Attempt>& attempt) {
    if (const auto outcome = attempt->outcome()) return finished(attempt, *outcome);
    attempt->wait([this, waiting = std::weak_ptr(attempt)] {
      if (const auto alive = waiting.lock()) follow(alive);
    });
  }

  void finished(const std::shared_ptr<Attempt>& attempt, int error) {
    if (error == 0 && !winner_) winner_ = attempt;
    if (error != 0 && attempt != again_) failed(*attempt, error);
    changed_.notify_all();
  }

  void failed(const Attempt& attempt, int error) {
    ++failed_;
    if (!first_error_) {
      first_error_ =
          base::system_error(error, "connect").within("dial tcp " + name_of(attempt.endpoint()));
    }
    start_next();
  }

  async::Executor executor_;
  async::Clock& clock_;
  async::Event& changed_;
  Resolution::Endpoints endpoints_;
  async::Duration renew_;
  std::vector<std::shared_ptr<Attempt>> attempts_;
  std::shared_ptr<Attempt> again_;
  std::size_t renewals_ = 0;
  async::TimePoint next_due_;
  std::size_t failed_ = 0;
  std::shared_ptr<Attempt> winner_;
  std::optional<Error> first_error_;
};

Dial::Dial(async::Executor executor, async::Clock& clock)
    : executor_(executor), clock_(clock), changed_(executor) {}

Dial::~Dial() = default;

void Dial::stop() {
  stopped_ = true;
  changed_.notify_all();
}

async::Task<Socket> Dial::run(std::string address, DialOptions options) {
  until_ = clock_.now() + options.limit;
  if (address.empty()) co_return fail(Code::invalid, "dial tcp: missing address");
  auto target = parse_host_port(address);
  if (!target) co_return fail(std::move(target).error().within("dial tcp"));
  if (options.policy != nullptr) CO_TRY_VOID(options.policy->check_target(*target));
  name_ = "lookup " + target->host;
  Resolution resolution(executor_, *target, options.family, changed_);
  while (!resolution.answered()) CO_TRY_VOID(co_await wait(until_));
  auto endpoints = resolution.take();
  if (!endpoints) co_return fail(std::move(endpoints).error().within("dial tcp"));
  if (options.policy != nullptr) CO_TRY_VOID(keep_permitted(*options.policy, *target, *endpoints));
  CO_TRY(Socket socket, co_await race(*std::move(endpoints), options.renew));
  tune(socket, options.liveness);
  co_return socket;
}

Task<Socket> Dial::race(Resolution::Endpoints endpoints, async::Duration renew) {
  name_ = name_of(endpoints.front());
  resolved_ = true;
  race_ = std::make_unique<Race>(executor_, clock_, changed_, std::move(endpoints), renew);
  race_->start_next();
  while (!race_->decided()) {
    CO_TRY_VOID(co_await wait(std::min(until_, race_->next_due())));
    race_->start_due();
  }
  co_return race_->result();
}

// For news, at most until then.
Task<void> Dial::wait(async::TimePoint then) {
  if (!stopped_) CO_TRY_VOID(co_await clock_.wait(changed_, then));
  if (stopped_) co_return fail(Code::cancelled, "cancelled");
  if (clock_.now() < until_ || (race_ && race_->decided())) co_return Result<void>{};
  co_return fail(Code::timeout,
                 fmt::format("dial tcp{} {}: i/o timeout", resolved_ ? "" : ":", name_));
}

async::Task<Socket> dial_tcp(async::Clock& clock, std::string address, async::Duration limit,
                             Liveness liveness, Family family) {
  Dial dial(co_await asio::this_coro::executor, clock);
  const DialOptions options{
      .limit = limit, .liveness = liveness, .family = family, .renew = kRenewAfter};
  co_return co_await dial.run(std::move(address), options);
}

async::Task<Socket> dial_unix(std::string path) {
  using Unix = asio::local::stream_protocol;
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    co_return fail(Code::invalid, "dial unix " + path + ": path too long");
  Socket socket(co_await asio::this_coro::executor);
  auto [error] = co_await socket.async_connect(Unix::endpoint(path), async::kAsTuple);
  if (error)
    co_return fail(base::system_error(error.value(), "connect").within("dial unix " + path));
  co_return socket;
}

}  // namespace net
