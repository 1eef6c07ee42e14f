#include <boost/test/unit_test.hpp>
#include <numeric>

#include "service/blueprint/world.hpp"

using namespace service_test;
using namespace headrace::job;

BOOST_AUTO_TEST_SUITE(blueprint_parts)

namespace {

std::vector<Node> nodes_of(std::initializer_list<std::uint32_t> stagers) {
  std::vector<Node> nodes;
  for (const auto count : stagers)
    nodes.push_back({nodes.empty() ? 0 : nodes.back().first + nodes.back().stagers, count, "n"});
  return nodes;
}

bool near(double a, double b) {
  return std::abs(a - b) <= 1e-6 * std::max(1.0, std::abs(b));
}

}  // namespace

BOOST_AUTO_TEST_CASE(slots_are_enough_to_prefetch_small_batches) {
  const auto slots = [](std::uint32_t batch, unsigned said) {
    Config config;
    config.slots = said;
    const std::vector<StreamConfig> streams{stream("a", "", batch, plan::Shuffle::global, plan::Last::partial)};
    return blueprint(1'000'000, streams, {1.0}).slots_of(config, 0);
  };
  BOOST_TEST(slots(1, 0) == 16u);
  BOOST_TEST(slots(5'200, 0) == 10u);  // of 315 bytes a row
  BOOST_TEST(slots(100'000, 0) == 4u);
  BOOST_TEST(slots(1, 2) == 2u);
  BOOST_TEST(slots(100'000, 1000) == 1000u);
}

BOOST_AUTO_TEST_CASE(rings_hold_no_more_rows_than_the_stream_has) {
  Config config;
  config.slots = 4;
  const auto bytes = [&](std::uint64_t samples, std::uint32_t batch, plan::Last last) {
    return blueprint(samples, {stream("a", "", batch, plan::Shuffle::global, last)}, {1.0}).ring_bytes(config, 0);
  };
  BOOST_TEST(bytes(2, 32'000, plan::Last::partial) == bytes(2, 2, plan::Last::partial));
  BOOST_TEST(bytes(2, 32'000, plan::Last::partial) < bytes(100'000, 32'000, plan::Last::partial) / 100);
  BOOST_TEST(bytes(2, 32'000, plan::Last::pad) == bytes(100'000, 32'000, plan::Last::pad));  // it is filled up
  BOOST_TEST(bytes(100'000, 32, plan::Last::drop) == bytes(100'000, 32, plan::Last::partial));
}

BOOST_AUTO_TEST_CASE(weights_are_equal_where_all_fits) {
  const auto w = weights(nodes_of({2, 1, 3}), {1000, 1000, 1000}, 600);
  BOOST_TEST(w.size() == 6u);
  for (const auto weight : w) BOOST_TEST(near(weight, 100));
}

BOOST_AUTO_TEST_CASE(a_small_node_is_filled_and_the_others_share_the_rest) {
  const auto w = weights(nodes_of({2, 1, 1}), {60, 1000, 1000}, 400);
  BOOST_TEST((near(w[0], 30) && near(w[1], 30)));
  BOOST_TEST((near(w[2], 170) && near(w[3], 170)));
  // What the first leaves overfills the second.
  const auto chain = weights(nodes_of({1, 1, 1}), {10, 120, 1000}, 360);
  BOOST_TEST((near(chain[0], 10) && near(chain[1], 120) && near(chain[2], 230)));
}

BOOST_AUTO_TEST_CASE(weights_by_property) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 500; ++round) {
    std::vector<Node> nodes;
    std::vector<std::uint64_t> budgets;
    std::uint32_t first = 0;
    for (auto more = 1 + random() % 8; more > 0; --more) {
      nodes.push_back({first, static_cast<std::uint32_t>(1 + random() % 5), "n"});
      first += nodes.back().stagers;
      budgets.push_back(random() % 4 == 0 ? 0 : random() % 10'000);
    }
    const auto room = std::accumulate(budgets.begin(), budgets.end(), std::uint64_t{0});
    const auto total = random() % (room + 100);
    const auto w = weights(nodes, budgets, total);
    BOOST_TEST(w.size() == first);
    const double sum = std::accumulate(w.begin(), w.end(), 0.0);
    BOOST_TEST(sum > 0);  // plan::divide() divides by it
    if (total == 0 || room == 0) continue;
    BOOST_TEST(near(sum, static_cast<double>(std::min(total, room))));
    for (std::size_t n = 0; n < nodes.size(); ++n)
      BOOST_TEST(w[nodes[n].first] * nodes[n].stagers <= static_cast<double>(budgets[n]) + 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(slab_hashes_add_up_to_the_stream) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 60; ++round) {
    const auto samples = 1 + random() % 20'000;
    std::vector<double> some(1 + random() % 7);
    for (auto& weight : some) weight = static_cast<double>(random() % 4);
    some[0] = 1;
    const auto drawn =
        blueprint(samples,
                  {stream("a", random_select(random, samples), 1, plan::Shuffle::global, plan::Last::pad),
                   stream("b", random_select(random, samples), 1, plan::Shuffle::none, plan::Last::partial)},
                  some, 1 + random() % 100);
    for (std::uint32_t s = 0; s < 2; ++s) {
      std::uint64_t expected = 0, sum = 0;
      for (std::uint64_t sample = 0; sample < samples; ++sample)
        if (drawn.strata[s].sets()[0].selection()->contains({sample})) expected += sample_hash(sample);
      for (std::uint32_t stager = 0; stager < some.size(); ++stager) sum += slab_hashes(drawn, s, stager)[0];
      BOOST_TEST(sum == expected);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
