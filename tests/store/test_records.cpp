#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "store/records.hpp"

using namespace headrace;
using store::Records;

BOOST_AUTO_TEST_SUITE(records)

BOOST_AUTO_TEST_CASE(fields_stand_side_by_side_and_records_where_sectors_begin) {
  const Schema schema{{"x", DType::float32, {5, 100}, {}, {}},
                      {"none", DType::int8, {0}, {}, {}},
                      {"odd", DType::uint8, {7}, {}, {}},
                      {"n", DType::int64, {}, {}, {}}};
  const Records some(schema, 10);
  BOOST_TEST(some.bytes() == 2015u);
  BOOST_TEST(some.stride() == 2016u);  // packed: words
  BOOST_TEST((some.fields() == std::vector<std::uint64_t>{0, 2000, 2000, 2007, 2015}));
  BOOST_TEST(some.at(3) == 3 * 2016u);
  BOOST_TEST(some.file_bytes() == 20480u);  // of 20160, in pages
  const Records large({{"x", DType::float32, {17135}, {}, {}}}, 3);
  BOOST_TEST(large.bytes() == 68540u);
  BOOST_TEST(large.stride() == 68608u);  // sectors of 512
  const Records two_kilobytes({{"x", DType::uint8, {2048}, {}, {}}}, 3);
  BOOST_TEST(two_kilobytes.stride() == 2048u);
}

BOOST_AUTO_TEST_CASE(nothing_takes_nothing) {
  const Records none({{"none", DType::int8, {0}, {}, {}}}, 100);
  BOOST_TEST(none.file_bytes() == 0u);
  BOOST_TEST(none.rows_a_piece(4096) == 100u);
  BOOST_TEST(Records({{"x", DType::uint8, {8}, {}, {}}}, 0).file_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(pieces_begin_with_pages) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    const Records some({{"x", DType::uint8, {1 + random() % 100000}, {}, {}}}, 1 + random() % 1000);
    const auto wanted = random() % (8 << 20);
    const auto rows = some.rows_a_piece(wanted);
    BOOST_TEST(rows > 0u);
    BOOST_TEST(rows * some.stride() % Records::page == 0u);
    const auto least = some.rows_a_piece(0);
    BOOST_TEST(rows % least == 0u);
    BOOST_TEST(least <= 512u);
    BOOST_TEST((rows == least || rows * some.stride() <= wanted));
    BOOST_TEST((rows + least) * some.stride() > wanted);
  }
}

BOOST_AUTO_TEST_SUITE_END()
