#include "transform/numbers/logarithm.hpp"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using headrace::transform::numbers::take_logarithms;

BOOST_AUTO_TEST_SUITE(logarithms)

namespace {

float logarithm(float x) {
  take_logarithms(&x, 1);
  return x;
}

/// How many floats lie between two of the same sign.
std::int64_t distance(float a, float b) {
  return std::abs(static_cast<std::int64_t>(std::bit_cast<std::int32_t>(a)) - std::bit_cast<std::int32_t>(b));
}

void check(const std::vector<float>& values) {
  auto logs = values;
  take_logarithms(logs.data(), logs.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto nearest = static_cast<float>(std::log(static_cast<double>(values[i])));
    wrong += nearest == 0 ? logs[i] != 0 : !(distance(logs[i], nearest) <= 1);
    if (wrong == 1) BOOST_TEST(false, "log of " << values[i] << ": " << logs[i] << " instead of " << nearest);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(are_within_one_of_the_nearest_float) {
  std::vector<float> values;
  for (std::uint32_t bits = 1; bits < 0x7f800000; bits += 1009) values.push_back(std::bit_cast<float>(bits));
  check(values);  // of every size, subnormals too
  values.clear();
  for (std::uint32_t bits = 0x3f000000; bits < 0x40000000; bits += 7) values.push_back(std::bit_cast<float>(bits));
  check(values);  // 0.5 to 2: where terms cancel
}

BOOST_AUTO_TEST_CASE(do_not_depend_on_the_place_in_the_array) {
  std::mt19937 random(1);
  std::vector<float> values(77);
  for (auto& value : values) value = std::bit_cast<float>(static_cast<std::uint32_t>(random() % 0x7f800000 + 1));
  auto logs = values;
  take_logarithms(logs.data(), logs.size());
  for (std::size_t i = 0; i < values.size(); ++i) BOOST_TEST(logs[i] == logarithm(values[i]));
}

BOOST_AUTO_TEST_CASE(keep_what_is_not_finite) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  BOOST_TEST(logarithm(infinity) == infinity);
  BOOST_TEST(std::isnan(logarithm(std::nanf(""))));
  BOOST_TEST(logarithm(1) == 0);
  double x = 2;
  take_logarithms(&x, 1);
  BOOST_TEST(x == std::log(2.0));
}

BOOST_AUTO_TEST_SUITE_END()
