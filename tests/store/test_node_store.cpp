#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>

#include "store/node_store.hpp"

using namespace headrace;
using store::Layout;
using store::NodeStore;

BOOST_AUTO_TEST_SUITE(node_store)

namespace {

Schema schema() {
  return {{"x", DType::float32, {25, 3}, {}, {}},
          {"odd", DType::uint8, {7}, {}, {}},
          {"none", DType::int16, {0}, {}, {}},
          {"n", DType::int64, {}, {}, {}}};
}

/// What belongs at a byte of a column.
std::byte mark(std::size_t stager, std::size_t field, std::uint64_t at) {
  return static_cast<std::byte>(stager * 101 + field * 29 + at * 7 + at / 256);
}

void write(NodeStore& store, std::size_t stager, std::uint64_t rows) {
  const auto fields = schema();
  for (std::size_t f = 0; f < fields.size(); ++f)
    for (std::uint64_t at = 0; at < rows * fields[f].row_bytes(); ++at)
      store.column(stager, f)[at] = mark(stager, f, at);
}

std::uint64_t wrong_bytes(const NodeStore& store, std::size_t stager, std::uint64_t rows) {
  const auto fields = schema();
  std::uint64_t wrong = 0;
  for (std::size_t f = 0; f < fields.size(); ++f)
    for (std::uint64_t at = 0; at < rows * fields[f].row_bytes(); ++at)
      wrong += store.column(stager, f)[at] != mark(stager, f, at);
  return wrong;
}

}  // namespace

BOOST_AUTO_TEST_CASE(columns_are_aligned_and_apart) {
  std::mt19937_64 random(7);
  const auto fields = schema();
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint64_t> rows(1 + random() % 6);
    for (auto& count : rows) count = random() % 3 == 0 ? 0 : random() % 1000;
    const Layout layout(fields, rows);
    std::uint64_t end = 0, data = 0;
    for (std::size_t s = 0; s < rows.size(); ++s) {
      BOOST_TEST(layout.slab_offset(s) % 4096 == 0u);
      BOOST_TEST(layout.slab_offset(s) == end);  // no gap between slabs: reserving each reserves all
      BOOST_TEST((rows[s] > 0) == (layout.slab_bytes(s) > 0));
      std::uint64_t column_end = end;
      for (std::size_t f = 0; f < fields.size(); ++f) {
        BOOST_TEST(layout.column_offset(s, f) % 256 == 0u);
        BOOST_TEST(layout.column_offset(s, f) >= column_end);
        column_end = layout.column_offset(s, f) + rows[s] * fields[f].row_bytes();
        data += rows[s] * fields[f].row_bytes();
      }
      end += layout.slab_bytes(s);
      BOOST_TEST(column_end <= end);
    }
    BOOST_TEST(layout.bytes() == end);
    BOOST_TEST(end <= data + rows.size() * (fields.size() * 256 + 4096));  // padding does not grow with the rows
  }
}

BOOST_AUTO_TEST_CASE(several_mappings_are_one_memory) {
  const std::vector<std::uint64_t> rows{500, 0, 3, 77};
  const Layout layout(schema(), rows);
  const auto memfd = NodeStore::create(layout);
  std::vector<NodeStore> stagers;
  for (std::size_t s = 0; s < rows.size(); ++s) stagers.emplace_back(memfd.duplicate(), layout);
  for (std::size_t s = 0; s < rows.size(); ++s) {
    stagers[s].reserve(s, 2);
    write(stagers[s], s, rows[s]);
  }
  for (const auto& reader : stagers)
    for (std::size_t s = 0; s < rows.size(); ++s) BOOST_TEST(wrong_bytes(reader, s, rows[s]) == 0u);
}

BOOST_AUTO_TEST_CASE(reserving_takes_the_memory_and_keeps_what_is_there) {
  const std::vector<std::uint64_t> rows{2000, 2000};
  const Layout layout(schema(), rows);
  auto memfd = NodeStore::create(layout);
  const auto watch = memfd.duplicate();
  NodeStore store(std::move(memfd), layout);
  BOOST_TEST(ipc::size_of_file(watch) == layout.bytes());
  store.reserve(1, 3);
  write(store, 1, rows[1]);
  store.reserve(0, 1);
  store.reserve(1, 1);
  BOOST_TEST(wrong_bytes(store, 1, rows[1]) == 0u);
  write(store, 0, rows[0]);
  BOOST_TEST(wrong_bytes(store, 1, rows[1]) == 0u);
}

BOOST_AUTO_TEST_CASE(memory_that_nobody_shares_is_used_alike) {
  for (const std::uint64_t rows : {1u, 13u, 20'000u}) {
    NodeStore store(Layout(schema(), std::vector{rows}));
    write(store, 0, rows / 2);
    store.reserve(0, 3);
    BOOST_TEST(wrong_bytes(store, 0, rows / 2) == 0u);
    write(store, 0, rows);
    BOOST_TEST(wrong_bytes(store, 0, rows) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_node_may_hold_nothing) {
  const Layout layout(schema(), std::vector<std::uint64_t>{0, 0});
  NodeStore shared(NodeStore::create(layout), layout), own(Layout(schema(), std::vector<std::uint64_t>{0}));
  for (auto* store : {&shared, &own}) {
    store->reserve(0, 1);
    BOOST_TEST(store->layout().bytes() == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
