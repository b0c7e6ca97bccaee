#include "controller/writer.h"

#include "kube/testing/fixture.h"

namespace controller {
namespace {

json::object thing(const std::string& name) {
  return {{"metadata", json::object{{"name", name}, {"namespace", "ns"}}}, {"spec", 1}};
}

class WriterTest : public kube::testing::FakeApiTest {
 protected:
  Informer informer_{loop_, *client_, kube::Api({"example.io", "v1", "things"}, "")};
  Writer writer_{*client_, informer_};
};

TEST_F(WriterTest, what_it_wrote_is_in_the_store_at_once) {
  const auto made = finish(writer_.create(thing("a")));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(informer_.store().get({"ns", "a"}), *made);
  auto changed = **made;
  changed["spec"] = 2;
  ASSERT_TRUE(finish(writer_.update(changed)));
  EXPECT_EQ(informer_.store().get({"ns", "a"})->at("spec"), 2);
}

TEST_F(WriterTest, a_stale_update_is_a_conflict_and_leaves_the_store) {
  const auto made = finish(writer_.create(thing("a")));
  ASSERT_TRUE(finish(writer_.update(**made)));
  const auto late = finish(writer_.update(**made));
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().is_conflict());
}

TEST_F(WriterTest, removing_what_has_gone_is_fine) {
  EXPECT_TRUE(finish(writer_.remove({"ns", "none"})));
}

}  // namespace
}  // namespace controller
