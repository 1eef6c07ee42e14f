#include "formats/tfrecord.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>

namespace headrace::formats {

BOOST_AUTO_TEST_SUITE(tfrecords)

BOOST_AUTO_TEST_CASE(a_record_byte_for_byte) {
  // As tf.train.Example(...).SerializeToString() of TensorFlow writes it: a: [1.0, -2.0], b: [3, -1, 300].
  const ExampleEncoder encoder({{"a", Feature::Kind::floats, 2}, {"b", Feature::Kind::integers, 3}});
  const float a[] = {1, -2};
  const std::int64_t b[] = {3, -1, 300};
  const std::vector<const std::byte*> values{reinterpret_cast<const std::byte*>(a),
                                             reinterpret_cast<const std::byte*>(b)};
  std::vector<std::byte> memory;
  const auto out = encoder.encode(1, values, memory);
  const std::string payload(
      "\x0a\x2b"
      "\x0a\x11\x0a\x01"
      "a\x12\x0c\x12\x0a\x0a\x08\x00\x00\x80\x3f\x00\x00\x00\xc0"
      "\x0a\x16\x0a\x01"
      "b\x12\x11\x1a\x0f\x0a\x0d\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xac\x02",
      45);
  BOOST_TEST(out.size() == 12 + payload.size() + 4);
  BOOST_TEST(std::memcmp(out.data() + 12, payload.data(), payload.size()) == 0);
  std::uint64_t length = 0;
  std::memcpy(&length, out.data(), 8);
  BOOST_TEST(length == payload.size());
}

BOOST_AUTO_TEST_CASE(checksums_are_turned_and_moved) {
  // The one of eight zero bytes, as TensorFlow's crc32c::Mask gives it: rotated by 15, then plus 0xa282ead8.
  const std::vector<std::byte> zeros(32);
  const std::uint32_t crc = 0x8a9136aa;
  BOOST_TEST(masked_crc32c(zeros) == ((crc >> 15 | crc << 17) + 0xa282ead8u));
}

BOOST_AUTO_TEST_CASE(rows_follow_each_other) {
  const ExampleEncoder encoder({{"n", Feature::Kind::integers, 1}});
  const std::int64_t n[] = {0, 127, 128};
  const std::vector<const std::byte*> values{reinterpret_cast<const std::byte*>(n)};
  std::vector<std::byte> memory, other(1000, std::byte{0xee});  // the latter from before: what stands in it does not matter
  const auto out = encoder.encode(3, values, memory);
  const std::vector<const std::byte*> last{reinterpret_cast<const std::byte*>(n + 2)};
  const auto third = encoder.encode(1, last, other);
  BOOST_TEST(third.size() < 100u);
  BOOST_TEST(std::ranges::equal(out.last(third.size()), third));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::formats
