#include "service/blueprint/descriptors.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/error.hpp"

using namespace headrace;
using namespace headrace::config;
using namespace headrace::job;
using namespace headrace::service::blueprint;

namespace {

Config config_of(std::uint32_t trainers, std::size_t streams) {
  Config config;
  config.trainers_per_node = trainers;
  config.streams.resize(streams);
  return config;
}

std::string refusal(const DescriptorNeed& need, std::uint64_t limit, const Config& config, const Node& node) {
  try {
    require_descriptors(need, limit, config, node);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(descriptors)

BOOST_AUTO_TEST_CASE(stagers_of_a_node_share_its_trainers) {
  const auto config = config_of(7, 2);
  const Node node{3, 3, "n01"};
  std::uint64_t all = 0;
  for (std::uint32_t local = 0; local < 3; ++local) all += descriptor_need(config, node, local, 9, 0).trainers;
  BOOST_TEST(all == descriptor_need(config, {0, 1, "n01"}, 0, 1, 0).trainers);
  BOOST_TEST(descriptor_need(config, node, 0, 9, 0).trainers > descriptor_need(config, node, 1, 9, 0).trainers);
  BOOST_TEST(descriptor_need(config, node, 1, 9, 0).trainers == descriptor_need(config, node, 2, 9, 0).trainers);
}

BOOST_AUTO_TEST_CASE(what_is_open_other_stagers_and_the_front_desk_count) {
  const auto config = config_of(1, 1);
  const Node node{0, 2, "n01"};
  const auto leader = descriptor_need(config, node, 0, 2, 30), other = descriptor_need(config, node, 1, 2, 30);
  BOOST_TEST(leader.open == 30u);
  BOOST_TEST(leader.others > other.others);
  BOOST_TEST(leader.stagers == 0u);
  BOOST_TEST(descriptor_need(config, node, 0, 1002, 30).stagers >= 1000u);
}

BOOST_AUTO_TEST_CASE(a_limit_too_low_is_refused_by_name) {
  const auto config = config_of(400, 2);
  const Node node{0, 1, "n17"};
  const auto need = descriptor_need(config, node, 0, 1, 40);
  BOOST_TEST(refusal(need, need.total(), config, node) == "");
  const auto text = refusal(need, need.total() - 1, config, node);
  for (const auto& part : {std::string("n17"), std::string("trainers-per-node = 400 of 2 streams"),
                           std::to_string(need.total()), std::to_string(need.total() - 1), std::string("ulimit -Hn")})
    BOOST_TEST(text.find(part) != std::string::npos, text << " lacks " << part);
}

BOOST_AUTO_TEST_CASE(callers_get_what_is_left) {
  const auto config = config_of(10, 1);
  const auto need = descriptor_need(config, {0, 1, "n01"}, 0, 1, 40);
  const auto least = most_callers(need, need.total());
  BOOST_TEST(least > 1u);
  BOOST_TEST(most_callers(need, need.total() + 200) == least + 100);
  BOOST_TEST(most_callers(need, 0) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
