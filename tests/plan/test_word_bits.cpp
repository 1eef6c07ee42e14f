#include <cstdint>
#include <random>

#include <boost/test/unit_test.hpp>

#include "plan/word_bits.hpp"

using namespace headrace::plan;

BOOST_AUTO_TEST_SUITE(word_bits_of)

BOOST_AUTO_TEST_CASE(every_set_bit_is_found_by_its_number) {
  std::mt19937_64 random(1);
  for (int turn = 0; turn < 2000; ++turn) {
    auto word = turn < 64 ? std::uint64_t{1} << turn : turn == 64 ? ~std::uint64_t{0} : random();
    for (int thinner = turn % 5; turn > 64 && thinner > 0; --thinner) word &= random();  // dense and sparse ones
    std::uint64_t k = 0;
    for (unsigned bit = 0; bit < 64; ++bit)
      if ((word >> bit & 1) != 0) BOOST_REQUIRE_EQUAL(nth_bit(word, k++), bit);
    BOOST_REQUIRE_EQUAL(count_bits(word), k);
  }
  BOOST_TEST(count_bits(0) == 0u);
  BOOST_TEST(count_bits(low_bits(64)) == 64u);
  BOOST_TEST(low_bits(0) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
