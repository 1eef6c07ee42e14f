// Types of decoded values against a table that xarray 2026.9 made: decode_cf_variable() for each raw type with
// scale_factor and add_offset absent, float32, float64 or int16, and _FillValue absent or there.
#include <cmath>
#include <sstream>

#include "data/fields/cf.hpp"
#include "data/fields/field_fixture.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

namespace {

// offset:            none        float32     float64     int16, each without and with a fill value
const char* const of_xarray = R"(
int8 none             int8 f4     f8 f8       f8 f8       f8 f8
int8 f4               f4 f4       f4 f4       f8 f8       f8 f8
int8 f8               f8 f8       f8 f8       f8 f8       f8 f8
int16 none            int16 f4    f8 f8       f8 f8       f8 f8
int16 f4              f4 f4       f4 f4       f8 f8       f8 f8
int16 f8              f8 f8       f8 f8       f8 f8       f8 f8
int32 none            int32 f8    f8 f8       f8 f8       f8 f8
int32 f4              f4 f4       f8 f8       f8 f8       f8 f8
int64 none            int64 f8    f8 f8       f8 f8       f8 f8
int64 f4              f4 f4       f4 f4       f8 f8       f8 f8
uint16 none           uint16 f4   f8 f8       f8 f8       f8 f8
uint32 f4             f4 f4       f8 f8       f8 f8       f8 f8
uint64 f8             f8 f8       f8 f8       f8 f8       f8 f8
float16 f4            f4 f4       f4 f4       f8 f8       f8 f8
float32 none          f4 f4       f8 f8       f8 f8       f8 f8
float32 f4            f4 f4       f4 f4       f8 f8       f8 f8
float64 none          f8 f8       f8 f8       f8 f8       f8 f8
float64 f4            f4 f4       f4 f4       f8 f8       f8 f8
)";

std::optional<DType> type_of(const std::string& word) {
  if (word == "none") return std::nullopt;
  return word == "f4" ? DType::float32 : word == "f8" ? DType::float64 : dtype_named(word).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(field_cf)

BOOST_AUTO_TEST_CASE(types_are_those_of_xarray) {
  std::istringstream lines(of_xarray);
  std::string raw, factor;
  int checked = 0;
  while (lines >> raw >> factor)
    for (const auto* offset : {"none", "f4", "f8", "int16"})
      for (const bool filled : {false, true}) {
        std::string expected;
        lines >> expected;
        CfAttributes attributes;
        if (const auto type = type_of(factor)) attributes.scale_factor = {2, *type};
        if (const auto type = type_of(offset)) attributes.add_offset = {3, *type};
        if (filled) attributes.fill_values = {7};
        transform::Cell cell{.dtype = *type_of(raw), .bytes = size_of(*type_of(raw))};
        const auto decoding = cf_decoding(attributes, cell);
        const auto type = decoding ? decoding->dtype : cell.dtype;
        BOOST_TEST((type == *type_of(expected)), raw << " " << factor << " " << offset << " " << filled);
        ++checked;
      }
  BOOST_TEST(checked == 18 * 8);
}

BOOST_AUTO_TEST_CASE(who_says_that_values_are_packed) {
  CfAttributes attributes{.scale_factor = AttributeNumber{0.5, DType::float32}};
  const auto decoded = [&](CfMode mode) { return decodes_cf(attributes, mode); };
  BOOST_TEST(!decoded(CfMode::automatic));
  BOOST_TEST(decoded(CfMode::on));
  attributes.plain = true;
  BOOST_TEST(decoded(CfMode::automatic));
  BOOST_TEST(!decoded(CfMode::off));
  attributes.plain = false;
  attributes.conventions = true;
  BOOST_TEST(decoded(CfMode::automatic));
}

BOOST_AUTO_TEST_CASE(what_is_left_packed_is_told) {
  RawDataset dataset{.path = "v", .type = {}, .row_shape = {}};
  BOOST_TEST(left_packed(dataset, CfMode::automatic) == "");
  dataset.cf.fill_values = {std::nan("")};
  BOOST_TEST(left_packed(dataset, CfMode::automatic) == "");  // nothing comes of it
  dataset.cf = {.scale_factor = AttributeNumber{0.01, DType::float32},
                .add_offset = AttributeNumber{5, DType::float32}};
  dataset.cf.named = "MyFormat-1";
  BOOST_TEST(left_packed(dataset, CfMode::automatic) ==
             "dataset 'v' is delivered as stored, with scale_factor 0.01, add_offset 5 (Conventions = 'MyFormat-1' is "
             "none that means them; cf = \"on\" decodes)");
  BOOST_TEST(left_packed(dataset, CfMode::on) == "");
  dataset.cf.conventions = true;
  BOOST_TEST(left_packed(dataset, CfMode::automatic) == "");
  BOOST_TEST(left_packed(dataset, CfMode::off).ends_with("add_offset 5 (cf = off)"));
  dataset.cf_of_file = {dataset.cf, {.fill_values = {7}}};
  BOOST_TEST(left_packed(dataset, CfMode::automatic).find("with fill value 7 (no Conventions say") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
