// The arithmetic of rows that belong to samples by an id.
#include <boost/test/unit_test.hpp>
#include <limits>

#include "service/loading/join.hpp"

using namespace headrace::service::loading;

BOOST_AUTO_TEST_SUITE(join)

BOOST_AUTO_TEST_CASE(what_reaches_one_stager_in_a_round_has_room) {
  constexpr std::uint64_t header = 16, most = std::uint64_t{256} << 20;
  for (std::uint64_t stagers = 1; stagers <= 10'000; stagers += stagers < 100 ? 1 : 99)
    for (const std::uint64_t row : {0, 1, 8, 40, 1000, 20'000, 1 << 20, 1 << 28}) {
      const auto rows = rows_of_round(row, stagers);
      BOOST_TEST(rows >= 1u);
      if (rows > 1 || stagers * (row + header) <= most) BOOST_TEST(rows * stagers * (row + header) <= most);
    }
  BOOST_TEST(rows_of_round(1024 - header, 4) == 16u << 10);  // few read 16 MiB each
}

BOOST_AUTO_TEST_CASE(ids_count_from_the_base) {
  using limits = std::numeric_limits<std::int64_t>;
  BOOST_TEST(sample_of_id(1, 1, 10).value() == 0u);
  BOOST_TEST(sample_of_id(10, 1, 10).value() == 9u);
  BOOST_TEST(!sample_of_id(0, 1, 10).has_value());
  BOOST_TEST(!sample_of_id(11, 1, 10).has_value());
  BOOST_TEST(!sample_of_id(limits::min(), 1, 10).has_value());
  BOOST_TEST(!sample_of_id(limits::max(), -1, 10).has_value());
  BOOST_TEST(sample_of_id(limits::min() + 3, limits::min(), 10).value() == 3u);
  BOOST_TEST(sample_of_id(limits::max(), limits::max(), 10).value() == 0u);
  BOOST_TEST(!sample_of_id(5, 5, 0).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
