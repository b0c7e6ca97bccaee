#include "pki/key_reserve.h"

#include <gtest/gtest.h>

#include "async/testing/run.h"

namespace pki {
namespace {

using async::Task;
using base::Result;

class KeyReserveTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(run(stop(reserve_))); }

  template <typename T>
  Result<T> run(Task<T> task) {
    return async::testing::run(loop_, std::move(task));
  }

  std::string take() {
    const auto key = run(reserve_.take());
    EXPECT_TRUE(key);
    return key ? key->traditional_pem() : "";
  }

  static Task<void> stop(KeyReserve& reserve) {
    co_await reserve.stop();
    co_return Result<void>{};
  }

  static Task<void> give_up(KeyReserve& reserve, async::Event& given_up) {
    async::TaskGroup group(co_await async::asio::this_coro::executor);
    group.spawn("taker", take_one(reserve));
    (void)co_await async::asio::post(async::kAsTuple);
    group.cancel();
    co_await group.join();
    given_up.notify_all();
    co_return Result<void>{};
  }

  static Task<void> take_one(KeyReserve& reserve) {
    CO_TRY_VOID(co_await reserve.take());
    co_return Result<void>{};
  }

  async::Loop loop_;
  KeyReserve reserve_{loop_.get_executor()};
};

TEST_F(KeyReserveTest, makes_an_rsa_key_for_who_asks) {
  EXPECT_TRUE(take().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
}

TEST_F(KeyReserveTest, gives_every_key_once) {
  reserve_.want(2);
  reserve_.want(2);  // the same two
  const auto first = take(), second = take(), third = take();
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
  EXPECT_NE(first, third);
}

TEST_F(KeyReserveTest, leaves_its_loop_free) {
  bool ran = false;
  const auto look = [&]() -> void { ran = true; };
  async::asio::post(loop_, look);
  take();
  EXPECT_TRUE(ran);
}

TEST_F(KeyReserveTest, forgets_who_gave_up) {
  async::Event given_up(loop_.get_executor());
  EXPECT_TRUE(run(give_up(reserve_, given_up)));
  EXPECT_NE(take(), take());
}

TEST_F(KeyReserveTest, can_be_stopped_while_keys_are_made) { reserve_.want(4); }

}  // namespace
}  // namespace pki
