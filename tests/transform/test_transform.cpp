#include "transform/transform.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace headrace;
using transform::Source;
using transform::Transform;

BOOST_AUTO_TEST_SUITE(transforming)

static std::vector<std::byte> some_bytes(std::size_t n) {
  std::vector<std::byte> bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 37 + i / 256);
  return bytes;
}

BOOST_AUTO_TEST_CASE(byte_order_of_every_size_at_any_alignment) {
  for (const auto dtype : {DType::int8, DType::uint16, DType::float16, DType::bfloat16, DType::int32, DType::float32,
                           DType::uint64, DType::float64})
    for (const std::uint64_t elements : {1u, 3u, 64u, 1001u}) {
      const Transform transform(Source{dtype, true, elements});
      const auto size = size_of(dtype);
      BOOST_TEST(transform.identity() == (size == 1));
      BOOST_TEST((transform.dtype() == dtype));
      const auto raw = some_bytes(2 * transform.raw_row_bytes() + 1);
      std::vector<std::byte> out(2 * transform.row_bytes() + 3);
      transform.apply(raw.data() + 1, 2, out.data() + 3);
      auto expected = raw;
      for (std::size_t at = 1; at < raw.size(); at += size)
        std::reverse(expected.begin() + static_cast<std::ptrdiff_t>(at),
                     expected.begin() + static_cast<std::ptrdiff_t>(at + size));
      BOOST_TEST(std::equal(expected.begin() + 1, expected.end(), out.begin() + 3));
    }
}

BOOST_AUTO_TEST_CASE(native_order_is_left_alone) {
  const Transform transform(Source{DType::float32, false, 5});
  BOOST_TEST(transform.identity());
  const auto raw = some_bytes(60);
  std::vector<std::byte> out(60);
  transform.apply(raw.data(), 3, out.data());
  BOOST_TEST((out == raw));
}

BOOST_AUTO_TEST_CASE(bool_is_zero_or_one) {
  const Transform transform(Source{DType::boolean, false, 256});
  BOOST_TEST(!transform.identity());
  std::vector<std::byte> raw(256), out(256);
  for (std::size_t i = 0; i < 256; ++i) raw[i] = static_cast<std::byte>(i);
  transform.apply(raw.data(), 1, out.data());
  BOOST_TEST((out[0] == std::byte{0}));
  BOOST_TEST(std::all_of(out.begin() + 1, out.end(), [](std::byte b) { return b == std::byte{1}; }));
}

BOOST_AUTO_TEST_SUITE_END()
