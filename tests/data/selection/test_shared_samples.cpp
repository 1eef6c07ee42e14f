// Streams with samples in common: what is told, and refused.
#include "data/selection/shared_samples.hpp"

#include "config/config_fixture.hpp"

namespace headrace::data::selection {

using namespace headrace::condition;
using namespace headrace::config;

namespace {

Choice slice(const std::string& name, const std::string& select) {
  Choice choice{.stream = name};
  choice.selection = plan::Selection::parse(select, 5000);
  return choice;
}

std::string refusal(const Config& config, const std::vector<SharedSamples>& shared) {
  try {
    refuse_shared(config, shared);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(shared_samples, ConfigFixture)

BOOST_AUTO_TEST_CASE(what_is_known_without_the_data) {
  BOOST_TEST(shared_without_data(slice("a", ":3000"), slice("b", "2000:")).value() == 1000u);
  BOOST_TEST(shared_without_data(slice("a", ":2000"), slice("b", "2000:")).value() == 0u);
  auto some = slice("b", "2000:");
  some.where.push_back(condition::Condition::parse("x > 3"));
  BOOST_TEST(!shared_without_data(slice("a", ":3000"), some));
  BOOST_TEST(shared_without_data(slice("a", ":2000"), some).value() == 0u);  // a condition adds none
  auto train = slice("a", ":"), val = slice("b", ":");
  train.part = {0, 4000};
  val.part = {4000, 5000};
  BOOST_TEST(shared_without_data(train, val).value() == 0u);
  val.part = {3999, 5000};
  BOOST_TEST(!shared_without_data(train, val));
}

BOOST_AUTO_TEST_CASE(the_words) {
  BOOST_TEST(text_of({"train", "val", 1000, 3000, 3000}) ==
             "streams 'train' and 'val' share 1000 samples (of 3000 and 3000); where one is to test what the other "
             "trains, select slices that do not overlap, or parts of a split");
  BOOST_TEST(text_of({"a", "b", 1, 1, 7}).starts_with("streams 'a' and 'b' share 1 sample (of 1 and 7);"));
  BOOST_TEST(text_of({"a", "b", 50, 50, 50}).starts_with("streams 'a' and 'b' have the same 50 samples;"));
}

BOOST_AUTO_TEST_CASE(strict_configurations_refuse_all_pairs_at_once) {
  Config config;
  BOOST_TEST(refusal(config, {{"a", "b", 1, 2, 3}}) == "none");
  config.strict = true;
  BOOST_TEST(refusal(config, {}) == "none");
  const auto text = refusal(config, {{"a", "b", 1, 2, 3}, {"a", "c", 4, 5, 6}});
  BOOST_TEST(has(text, "'a' and 'b' share 1 sample"));
  BOOST_TEST(has(text, "'a' and 'c' share 4 samples"));
  BOOST_TEST(has(text, "(strict = true)"));
  BOOST_TEST(toml("strict = true\n").strict);
  BOOST_TEST(load({"--strict"}).strict);
  BOOST_TEST(!load({}).strict);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::selection
