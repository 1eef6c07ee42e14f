// What planning costs and how evenly it spreads, for any number of stagers: counted, never timed.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "plan/figures/flow.hpp"

namespace {

using namespace headrace::plan;

/// Slabs that differ by one sample at most.
std::vector<std::uint64_t> even(std::uint64_t samples, std::uint32_t stagers) {
  std::vector<std::uint64_t> first;
  for (std::uint64_t s = 0; s <= stagers; ++s) first.push_back(samples * s / stagers);
  return first;
}

struct Case {
  Machine machine;
  std::uint64_t samples;
  std::uint32_t batch;
  std::uint64_t steps = 4;
  Last last = Last::drop;

  Flow run(std::uint64_t key, std::uint64_t rows_per_answer = 1000) const {
    const Schedule schedule(samples, batch, machine.trainers(), Shuffle::global, last);
    const EpochOrder order(samples, key);
    return flow(machine, schedule, &order, even(samples, machine.stagers()), 0, std::min(steps, schedule.steps()),
                rows_per_answer);
  }
};

std::uint64_t sum(const std::vector<std::uint64_t>& amounts) {
  return std::accumulate(amounts.begin(), amounts.end(), std::uint64_t{0});
}
std::uint64_t most(const std::vector<std::uint64_t>& amounts) {
  return *std::max_element(amounts.begin(), amounts.end());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_)

BOOST_AUTO_TEST_CASE(every_row_is_counted_once_everywhere) {
  const Case some{{3, 2, 4}, 100'000, 32};
  const auto flow = some.run(1);
  BOOST_TEST(flow.rows == 4u * 12 * 32);
  for (const auto* amounts : {&flow.from_stager, &flow.from_node, &flow.planned})
    BOOST_TEST(sum(*amounts) == flow.rows);
  BOOST_TEST(sum(flow.out) == sum(flow.in));
  for (std::uint32_t node = 0; node < 3; ++node) {
    BOOST_TEST(flow.from_node[node] == flow.from_stager[2 * node] + flow.from_stager[2 * node + 1]);
    const auto local = flow.from_node[node] - flow.out[node];
    BOOST_TEST(local + flow.in[node] == 4u * 4 * 32);  // what the trainers of the node get
  }
}

BOOST_AUTO_TEST_CASE(one_node_sends_nothing) {
  const auto flow = Case{{1, 3, 2}, 10'000, 64}.run(2);
  BOOST_TEST(flow.remote() == 0u);
  BOOST_TEST(flow.requests == 0u);
  BOOST_TEST(flow.planned[2] == 0u);  // two trainers keep two of three stagers busy
}

BOOST_AUTO_TEST_CASE(requests_are_per_node_and_cut_by_the_size_of_an_answer) {
  // In file order each of two trainers walks its half, and here all of the second half lies with the first node.
  const Machine machine{2, 2, 1};
  const Schedule schedule(400, 100, 2, Shuffle::none, Last::drop);
  const std::vector<std::uint64_t> first{0, 150, 400, 400, 400};
  BOOST_TEST(flow(machine, schedule, nullptr, first, 0, 1, 100).requests == 1u);
  BOOST_TEST(flow(machine, schedule, nullptr, first, 0, 1, 99).requests == 2u);
  const auto both = flow(machine, schedule, nullptr, first, 0, 2, 30);
  BOOST_TEST(both.requests == 8u);
  BOOST_TEST(both.most_requests_of_batch == 4u);
  BOOST_TEST(both.in[1] == 200u);
  BOOST_TEST(both.in[0] == 0u);
}

BOOST_AUTO_TEST_CASE(a_batch_asks_each_other_node_at_most_once_where_rows_are_small) {
  for (const std::uint32_t nodes : {2u, 7u, 64u, 501u}) {
    const auto flow = Case{{nodes, 4, 2}, 4'000'000, 128, 2}.run(nodes, 1 << 20);
    BOOST_TEST(flow.most_requests_of_batch <= std::min<std::uint64_t>(nodes - 1, 128));
  }
}

BOOST_AUTO_TEST_CASE(padding_is_fetched_too) {
  const Case padded{{2, 1, 1}, 150, 100, 1, Last::pad};
  const auto flow = padded.run(3);
  BOOST_TEST(flow.rows == 200u);
  BOOST_TEST(sum(flow.from_node) == 200u);
}

BOOST_AUTO_TEST_CASE(planning_costs_each_stager_one_pth) {
  // The same global batches for ever more stagers: strong scaling, one trainer per stager.
  const std::uint64_t global = 1 << 16;
  for (std::uint32_t stagers = 1; stagers <= 4096; stagers *= 4) {
    const Machine machine{std::max(1u, stagers / 4), std::min(stagers, 4u), std::min(stagers, 4u)};
    const auto flow = Case{machine, 10'000'000, static_cast<std::uint32_t>(global / stagers), 2}.run(stagers);
    BOOST_TEST(sum(flow.planned) == 2 * global);  // nothing is planned twice
    BOOST_TEST(most(flow.planned) == 2 * global / stagers);
  }
}

BOOST_AUTO_TEST_CASE(the_window_in_flight_is_balanced_over_up_to_4096_stagers) {
  for (const std::uint32_t nodes : {2u, 5u, 16u, 128u, 1000u, 4096u})
    for (const std::uint32_t per_node : {1u, 4u}) {
      if (nodes * per_node > 4096) continue;
      for (const std::uint32_t batch : {8u, 64u, 256u}) {
        const auto flow = Case{{nodes, per_node, per_node}, 20'000'003, batch}.run(nodes * 1000 + batch);
        const double mean = static_cast<double>(flow.rows) / nodes;
        BOOST_TEST_CONTEXT(nodes << " nodes of " << per_node << " stagers, batch " << batch) {
          BOOST_TEST(balance(flow.from_node) <= 1 + 5 / std::sqrt(mean));
          BOOST_TEST(balance(flow.from_stager) <= 1 + 5 / std::sqrt(mean / per_node));
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(balance_of_nothing_is_even) {
  BOOST_TEST(balance(std::vector<std::uint64_t>{0, 0}) == 1);
  BOOST_TEST(balance(std::vector<std::uint64_t>{3, 1}) == 1.5);
}

BOOST_AUTO_TEST_SUITE_END()
