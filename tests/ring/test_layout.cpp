#include <boost/test/unit_test.hpp>
#include <random>

#include "base/error.hpp"
#include "pair.hpp"

using namespace headrace;
using ring::SlotLayout;

BOOST_AUTO_TEST_SUITE(layout)

BOOST_AUTO_TEST_CASE(arrays_are_aligned_disjoint_and_inside) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    Schema schema;
    for (auto fields = random() % 6; fields > 0; --fields) {
      Field field{"f", static_cast<DType>(random() % 13), {}, {}, {}};
      for (auto axes = random() % 4; axes > 0; --axes) field.shape.push_back(random() % 9);
      schema.push_back(field);
    }
    const std::uint32_t batch = 1 + random() % 300;
    const SlotLayout layout(schema, batch);
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < schema.size(); ++i) {
      BOOST_REQUIRE(layout.field_offset(i) >= end);
      BOOST_REQUIRE_EQUAL(layout.field_offset(i) % ring::array_alignment, 0);
      end = layout.field_offset(i) + batch * schema[i].row_bytes();
    }
    BOOST_REQUIRE(layout.index_offset() >= end);
    BOOST_REQUIRE_EQUAL(layout.index_offset() % ring::array_alignment, 0);
    BOOST_REQUIRE(layout.bytes() >= layout.index_offset() + batch * 8);
    BOOST_REQUIRE_EQUAL(layout.bytes() % ring::page_bytes, 0);
    BOOST_REQUIRE(layout.bytes() < end + batch * 8 + 2 * ring::page_bytes);
  }
}

BOOST_AUTO_TEST_CASE(sizes_that_overflow_are_errors) {
  const auto huge = std::uint64_t{1} << 62;
  BOOST_CHECK_THROW(SlotLayout({{"x", DType::float64, {huge, huge}, {}, {}}}, 1), Error);
  BOOST_CHECK_THROW(SlotLayout({{"x", DType::float64, {huge}, {}, {}}}, 4), Error);
  BOOST_CHECK_THROW(SlotLayout({{"x", DType::uint8, {1 << 20}, {}, {}}}, 0xffffffff), Error);
  BOOST_CHECK_THROW(SlotLayout({}, 0), Error);
  BOOST_CHECK_THROW(SlotLayout(Schema(5000), 1), Error);
  BOOST_TEST(SlotLayout({{"x", DType::float64, {0}, {}, {}}}, 3).index_offset() == 0);
}

BOOST_AUTO_TEST_CASE(the_memory_is_divided_anew_for_another_batch_size) {
  ring::Producer producer("test", ring_test::schema(), ring::Producer::ring_bytes(ring_test::schema(), 1000, 4), 2);
  BOOST_TEST(producer.configure(1000, 1) == 4);
  BOOST_TEST(producer.configure(2000, 1) >= 2);
  BOOST_TEST(producer.configure(10, 1) > 4);
  BOOST_TEST(producer.configure(10, 1, 3) == 3);
  BOOST_CHECK_EXCEPTION(producer.configure(100'000, 1), Error, [](const Error& error) {
    return std::string(error.what()).find("a batch of 100000 rows takes 4.70 MB") == 0;
  });
  BOOST_TEST(producer.slots() == 3);  // as before
  BOOST_CHECK_THROW(ring::Producer("test", ring_test::schema(), 4096, 1), Error);
  ring::Producer small("test", ring_test::schema(), ring::Producer::ring_bytes(ring_test::schema(), 1, 3000), 2);
  BOOST_TEST(small.configure(1, 1) == ring::queue_capacity);
}

BOOST_AUTO_TEST_SUITE_END()
