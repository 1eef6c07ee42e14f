#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>

#include "service/blueprint/need.hpp"
#include "service/blueprint/residence.hpp"
#include "store/node_store.hpp"

using namespace headrace;
using namespace headrace::service::blueprint;

BOOST_AUTO_TEST_SUITE(residence)

BOOST_AUTO_TEST_CASE(what_fits_stays) {
  const Schema schema{{"x", DType::float32, {100}, {}, {}}};
  const std::vector<std::uint64_t> rows{1000, 0, 3};
  BOOST_TEST(rows_in_memory(schema, rows, store::Layout(schema, rows).bytes()) == rows,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(parts_are_equal_shares_and_fit) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 500; ++round) {
    Schema schema;
    for (auto fields = 1 + random() % 4; fields > 0; --fields)
      schema.push_back({"f", DType::uint8, {1 + random() % 50000}, {}, {}});
    std::vector<std::uint64_t> rows(1 + random() % 5);
    for (auto& count : rows) count = 2000 + random() % 100000;
    const auto all = store::Layout(schema, rows).bytes();
    const auto budget = all / 100 * (1 + random() % 99);
    const auto some = rows_in_memory(schema, rows, budget);
    bool least = false;
    for (std::size_t s = 0; s < rows.size(); ++s) {
      BOOST_TEST(some[s] <= rows[s]);
      BOOST_TEST(some[s] >= fewest_in_memory(schema, rows[s]));
      least = least || some[s] == fewest_in_memory(schema, rows[s]);
      if (!least)
        BOOST_TEST(std::abs(static_cast<double>(some[s]) / static_cast<double>(rows[s]) -
                            static_cast<double>(some[0]) / static_cast<double>(rows[0])) < 1e-3);
    }
    const auto bytes = store::Layout(schema, some).bytes();
    if (!least) {
      BOOST_TEST(bytes <= budget);
      BOOST_TEST(bytes + rows.size() * (50000 * 4 + schema.size() * 256 + 4096) * 2 > budget);  // and use what there is
    }
  }
}

BOOST_AUTO_TEST_CASE(panes_have_room) {
  const Schema tiny{{"x", DType::uint8, {9}, {}, {}}};
  BOOST_TEST(fewest_in_memory(tiny, 5) == 5u);
  BOOST_TEST(fewest_in_memory(tiny, 10'000'000) == (1u << 20) / 9);
  const Schema large{{"x", DType::uint8, {100'000'000}, {}, {}}};
  const auto grain = store::Records(large, 100).rows_a_piece(0);
  BOOST_TEST(fewest_in_memory(large, 100) == 2 * grain);
}

BOOST_AUTO_TEST_CASE(a_disk_costs_buffers_and_room_there) {
  Blueprint blueprint;
  blueprint.schema = {{"x", DType::float32, {1000}, {}, {}}};
  const config::Config config;
  const std::vector<std::uint64_t> in_memory{100, 100}, on_disk{900, 0};
  const auto plain = need_of_node(config, blueprint, in_memory, 1);
  const auto need = need_of_node(config, blueprint, in_memory, 1, on_disk);
  BOOST_TEST(need.store == plain.store);
  BOOST_TEST(need.scratch == 900u * 4096);
  BOOST_TEST(need.buffers == plain.buffers + scratch_buffer_bytes(blueprint.schema, 900, 2) +
                                 scratch_buffer_bytes(blueprint.schema, 0, 2));
  BOOST_TEST(plain.scratch == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
