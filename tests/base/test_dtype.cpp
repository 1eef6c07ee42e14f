#include <boost/test/unit_test.hpp>
#include <string>

#include "base/dtype.hpp"
#include "base/schema.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(dtype)

BOOST_AUTO_TEST_CASE(sizes) {
  BOOST_TEST(size_of(DType::boolean) == 1u);
  for (int i = 1; i <= static_cast<int>(DType::float64); ++i) {
    const auto type = static_cast<DType>(i);
    const std::string name(name_of(type));
    BOOST_TEST(size_of(type) == std::stoul(name.substr(name.find_first_of("0123456789"))) / 8, name);
  }
}

BOOST_AUTO_TEST_CASE(names_lead_back_to_their_types) {
  for (int i = 0; i <= static_cast<int>(DType::float64); ++i) {
    const auto type = static_cast<DType>(i);
    BOOST_TEST((dtype_named(name_of(type)) == type));
  }
  BOOST_TEST(name_of(DType::boolean) == "bool");
  BOOST_TEST(name_of(DType::float32) == "float32");
  for (const auto* name : {"", "float", "Float32", "float128", "boolean"}) BOOST_TEST(!dtype_named(name));
}

BOOST_AUTO_TEST_CASE(bytes_of_a_row) {
  const Field image{"ECAL", DType::float32, {25, 25, 25}, {}, {}}, label{"label", DType::uint8, {}, {}, {}};
  BOOST_TEST(image.row_bytes() == 25u * 25 * 25 * 4);
  BOOST_TEST(label.row_bytes() == 1u);
  BOOST_TEST(row_bytes(Schema{image, label}) == 62'501u);
  BOOST_TEST(row_bytes(Schema{}) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
