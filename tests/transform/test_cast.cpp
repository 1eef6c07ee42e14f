#include "transform/numbers/cast.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "field_reference.hpp"
#include "transform/numbers/half.hpp"

using namespace headrace::transform::numbers;
using namespace reference;

BOOST_AUTO_TEST_SUITE(casting)

namespace {

/// The bits that a value becomes, or nothing where it is refused.
template <class W>
std::optional<std::uint64_t> cast_bits(W value, DType to, Overflow overflow = Overflow::error) {
  std::uint64_t bits = 0;
  std::byte out[8];
  if (cast(&value, 1, to, overflow, out) == 0) return std::nullopt;
  std::memcpy(&bits, out, size_of(to));
  return bits;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_half_there_and_back) {
  std::vector<std::uint16_t> all(65536), back(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  std::vector<float> wide(65536), portably(65536);
  half_to_float(all.data(), all.size(), wide.data());
  portable::half_to_float(all.data(), all.size(), portably.data());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto value = decode_float(i, 10, 5);
    BOOST_REQUIRE(same(wide[i], value));
    BOOST_REQUIRE(same(portably[i], value));
  }
  for (const auto narrow : {float_to_half, portable::float_to_half}) {
    narrow(wide.data(), wide.size(), reinterpret_cast<std::byte*>(back.data()));
    for (std::size_t i = 0; i < all.size(); ++i)
      BOOST_REQUIRE(same(decode_float(back[i], 10, 5), decode_float(i, 10, 5)));
  }
}

BOOST_AUTO_TEST_CASE(floats_to_halves_alike_by_both_ways) {
  std::mt19937_64 random(1);
  std::vector<float> values(40003);
  for (auto& value : values) {
    const auto bits = static_cast<std::uint32_t>(random());  // exponents about those of halves, and any
    value = std::bit_cast<float>(
        random() % 2 ? bits : (bits & 0x807fffff) | static_cast<std::uint32_t>(100 + random() % 45) << 23);
  }
  std::vector<std::uint16_t> a(values.size()), b(values.size());
  float_to_half(values.data(), values.size(), reinterpret_cast<std::byte*>(a.data()));
  portable::float_to_half(values.data(), values.size(), reinterpret_cast<std::byte*>(b.data()));
  BOOST_TEST((a == b));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(std::fabs(values[i]) < 65520)) continue;
    BOOST_REQUIRE(same(decode_float(a[i], 10, 5), round_to(values[i], 11, -14, 65504, Overflow::error)));
  }
}

BOOST_AUTO_TEST_CASE(doubles_to_halves_as_numpy_does) {
  const std::pair<double, std::uint16_t> by_numpy[] = {
      {0x1.0000000000000p+0, 0x3c00},  {0x1.ffc0000000000p+15, 0x7bff},
      {0x1.ffdffae147ae1p+15, 0x7bff}, {0x1.0000000000000p-24, 0x0001},
      {0x1.0000000000000p-25, 0x0000}, {0x1.000001ad7f29bp-25, 0x0001},
      {0x1.0020000000000p+0, 0x3c00},  {0x1.0020000001000p+0, 0x3c01},
      {0x1.0060000000000p+0, 0x3c02},  {0x1.999999999999ap-4, 0x2e66},
      {-0x1.921f9f01b866ep+1, 0xc248}, {0x1.0000000000000p-14, 0x0400},
      {0x1.ffc0000000000p-15, 0x0400}, {0x1.8000000000000p-25, 0x0001},
      {0x1.5798ee2308c3ap-27, 0x0000}, {-0x0.0p+0, 0x8000},
      {0x1.0020000000000p+11, 0x6800}, {0x1.0060000000000p+11, 0x6802},
  };
  for (const auto& [value, bits] : by_numpy) BOOST_TEST(cast_bits(value, DType::float16).value() == bits, value);
}

BOOST_AUTO_TEST_CASE(one_rounding_only) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 200000; ++i) {
    // Just beside the middle of two neighbours: where a rounding in between goes astray.
    const int exponent = static_cast<int>(random() % 38) - 24;
    const double middle = std::ldexp(static_cast<double>(2049 + 2 * (random() % 1024)), exponent - 11);
    const double value = middle + std::ldexp(middle, -40) * (static_cast<double>(random() % 3) - 1);
    if (std::fabs(value) >= 65520) continue;
    const auto half = cast_bits(value, DType::float16).value();
    BOOST_REQUIRE(same(decode_float(half, 10, 5), round_to(value, 11, -14, 65504, Overflow::error)));
    const auto bfloat = cast_bits(value, DType::bfloat16).value();
    BOOST_REQUIRE(same(decode_float(bfloat, 7, 8), round_to(value, 8, -126, 0x1.fep127L, Overflow::error)));
  }
  BOOST_TEST(cast_bits(std::int64_t{0x4040000000000001}, DType::bfloat16).value() == 0x5e81u);
  BOOST_TEST(cast_bits(std::int64_t{-0x4040000000000001}, DType::bfloat16).value() == 0xde81u);
  BOOST_TEST(cast_bits(std::uint64_t{0x4040000000000000}, DType::bfloat16).value() == 0x5e80u);
}

BOOST_AUTO_TEST_CASE(integers_stay_exact) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  BOOST_TEST(cast_bits(most, DType::uint64).value() == most);
  BOOST_TEST(!cast_bits(most, DType::int64));
  BOOST_TEST(cast_bits(most, DType::int64, Overflow::saturate).value() == most >> 1);
  BOOST_TEST(cast_bits((std::int64_t{1} << 53) + 1, DType::uint64).value() == (1ull << 53) + 1);
  BOOST_TEST(!cast_bits(std::int64_t{-1}, DType::uint8));
  BOOST_TEST(cast_bits(std::int64_t{-1}, DType::uint8, Overflow::saturate).value() == 0u);
  BOOST_TEST(cast_bits(std::int64_t{300}, DType::int8, Overflow::saturate).value() == 127u);
}

BOOST_AUTO_TEST_CASE(floats_to_integers) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  constexpr auto truncate = Overflow::truncate, saturate = Overflow::saturate, both = Overflow::truncate_saturate;
  BOOST_TEST(cast_bits(127.9, DType::int8, truncate).value() == 127u);
  BOOST_TEST(cast_bits(-128.9, DType::int8, truncate).value() == 0x80u);
  BOOST_TEST(!cast_bits(128.0, DType::int8, truncate));
  BOOST_TEST(!cast_bits(-129.0, DType::int8, truncate));
  BOOST_TEST(cast_bits(-0.99f, DType::uint8, truncate).value() == 0u);
  BOOST_TEST(!cast_bits(-1.0f, DType::uint8, truncate));
  for (const auto fraction : {0.6, -0.6, 126.5, -127.5}) {
    BOOST_TEST(!cast_bits(fraction, DType::int8));
    BOOST_TEST(!cast_bits(static_cast<float>(fraction), DType::int8, saturate));
    BOOST_TEST(cast_bits(fraction, DType::int8, both).value() ==
               (static_cast<std::uint64_t>(fraction > 0 ? fraction : 256.0 + std::trunc(fraction)) & 0xff));
  }
  BOOST_TEST(!cast_bits(127.5, DType::int8));  // what is beyond the range is no mere fraction
  BOOST_TEST(cast_bits(127.5, DType::int8, saturate).value() == 127u);
  BOOST_TEST(cast_bits(-0.5, DType::uint8, saturate).value() == 0u);
  BOOST_TEST(cast_bits(1e30f, DType::uint8, both).value() == 255u);
  BOOST_TEST(!cast_bits(0.5, DType::int64));
  BOOST_TEST(!cast_bits(0x1.fffffffffffffp51, DType::int64));
  BOOST_TEST(cast_bits(0x1p53 + 2, DType::uint64).value() == (1ull << 53) + 2);
  BOOST_TEST(cast_bits(0.25f, DType::boolean).value() == 1u);  // NumPy's, too
  BOOST_TEST(cast_bits(-0x1p63, DType::int64).value() == 1ull << 63);
  BOOST_TEST(!cast_bits(0x1p63, DType::int64));
  BOOST_TEST(!cast_bits(0x1p64f, DType::uint64));
  BOOST_TEST(cast_bits(0x1.fffffep63f, DType::uint64).value() == 0xffffff0000000000u);
  for (const auto overflow : {Overflow::error, saturate, truncate, both})
    BOOST_TEST(!cast_bits(nan, DType::int32, overflow));
  BOOST_TEST(!cast_bits(infinite, DType::int32, truncate));
  BOOST_TEST(!cast_bits(infinite, DType::int32));
  BOOST_TEST(cast_bits(-infinite, DType::int32, Overflow::saturate).value() == 0x80000000u);
  BOOST_TEST(cast_bits(nan, DType::boolean).value() == 1u);  // as NumPy: it is not zero
}

BOOST_AUTO_TEST_CASE(finite_floats_never_become_infinite) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  BOOST_TEST(!cast_bits(65520.0, DType::float16));
  BOOST_TEST(cast_bits(65519.99f, DType::float16).value() == 0x7bffu);
  BOOST_TEST(cast_bits(-1e30, DType::float16, Overflow::saturate).value() == 0xfbffu);
  BOOST_TEST(!cast_bits(1e39, DType::float32));
  BOOST_TEST(cast_bits(1e39, DType::float32, Overflow::saturate).value() == 0x7f7fffffu);
  BOOST_TEST(!cast_bits(std::numeric_limits<float>::max(), DType::bfloat16));
  BOOST_TEST(cast_bits(std::numeric_limits<float>::max(), DType::bfloat16, Overflow::saturate).value() == 0x7f7fu);
  BOOST_TEST(!cast_bits(std::int64_t{70000}, DType::float16));
  for (const auto to : {DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
    std::byte out[8];
    for (double value : {infinite, -infinite, nan}) {
      const double before = value;
      BOOST_TEST(cast(&value, 1, to, Overflow::error, out) == 1u);
      BOOST_TEST(same(decode(out, to), before));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
