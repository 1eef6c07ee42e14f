#include "formats/table.hpp"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "base/error.hpp"

namespace headrace::formats {

namespace {

template <class Value>
std::vector<Value> as(const std::vector<std::byte>& bytes) {
  std::vector<Value> values(bytes.size() / sizeof(Value));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

const std::byte* at(const auto& values) {
  return reinterpret_cast<const std::byte*>(values.data());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tables)

BOOST_AUTO_TEST_CASE(columns_of_fields_become_members_of_records) {
  // Two records a row: x has three columns, of which the last and the first are taken; flag has one value a record.
  const Schema schema{{.name = "x", .dtype = DType::float32, .shape = {2, 3}},
                      {.name = "flag", .dtype = DType::boolean, .shape = {2}}};
  Table table;
  table.dataset = {
      .path = "t", .members = {{"c", DType::float32}, {"a", DType::float32}, {"f", DType::boolean}}, .dims = {2, 2}};
  table.records = 2;
  table.parts = {{0, DType::float32, DType::float32, 2, 1, 3},
                 {0, DType::float32, DType::float32, 0, 1, 3},
                 {1, DType::boolean, DType::boolean, 0, 1, 1}};
  const std::vector<float> x{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const std::vector<std::uint8_t> flag{1, 0, 0, 1};
  std::vector<std::byte> out(2 * table.dataset.row_bytes());
  BOOST_TEST(out.size() == 36u);
  const std::vector<const std::byte*> fields{at(x), at(flag)};
  assemble(table, schema, 0, 2, fields, out.data());
  const float first[] = {2, 0};
  BOOST_TEST(std::memcmp(out.data(), first, 8) == 0);
  BOOST_TEST((out[8] == std::byte{1}));
  const float last[] = {11, 9};
  BOOST_TEST(std::memcmp(out.data() + 27, last, 8) == 0);
  BOOST_TEST((out[35] == std::byte{1}));
}

BOOST_AUTO_TEST_CASE(a_value_that_does_not_fit_is_an_error_with_its_row) {
  const Schema schema{{.name = "label", .dtype = DType::int64, .shape = {2}}};
  const auto table = table_of(schema, 0, "jets/labels", 3, DType::uint8);
  BOOST_TEST(!table.is_copy());
  std::vector<std::byte> out(6);
  const std::vector<std::int64_t> fine{0, 255, 3, 4, 5, 6};
  std::vector<const std::byte*> fields{at(fine)};
  assemble(table, schema, 100, 3, fields, out.data());
  BOOST_TEST((as<std::uint8_t>(out) == std::vector<std::uint8_t>{0, 255, 3, 4, 5, 6}));
  const std::vector<std::int64_t> wide{0, 1, 2, 3, 256, 5};
  fields = {at(wide)};
  BOOST_CHECK_EXCEPTION(assemble(table, schema, 100, 3, fields, out.data()), Error, [](auto& error) {
    const std::string what = error.what();
    return what.find("dataset jets/labels, row 102: field label holds 256 does not fit uint8") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(conversions_keep_values_and_refuse_infinities_made) {
  const std::vector<float> values{1.5F, -2, 65504};
  std::vector<std::byte> half(6), back(12);
  convert(at(values), DType::float32, 3, DType::float16, half.data());
  convert(half.data(), DType::float16, 3, DType::float32, back.data());
  BOOST_TEST((as<float>(back) == values));
  const std::vector<double> large{1e300};
  BOOST_CHECK_THROW(convert(at(large), DType::float64, 1, DType::float32, back.data()), std::runtime_error);
  const std::vector<std::uint64_t> huge{std::numeric_limits<std::uint64_t>::max()};
  BOOST_CHECK_THROW(convert(at(huge), DType::uint64, 1, DType::int64, back.data()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(what_becomes_of_values_on_their_way) {
  const Schema schema{{.name = "hot", .dtype = DType::float32, .shape = {3}}, {.name = "w", .dtype = DType::float16}};
  Table table;
  table.dataset = {
      .path = "t", .members = {{"label", DType::uint8}, {"w", DType::float16}, {"one", DType::float16}}, .dims = {3}};
  table.parts = {{0, DType::float32, DType::uint8, 0, 3, 3, How::argmax},
                 {1, DType::float16, DType::float16, 0, 1, 1, How::zero_nan},
                 {1, DType::float16, DType::float16, 0, 1, 1, How::one}};
  const std::vector<float> hot{0, 0, 1, 1, 0, 0, 0, 1, 0};
  const std::vector<std::uint16_t> w{0x7e00, 0x7c00, 0x3c00};  // NaN, infinity, 1
  std::vector<std::byte> out(3 * table.dataset.row_bytes());
  const std::vector<const std::byte*> fields{at(hot), at(w)};
  assemble(table, schema, 0, 3, fields, out.data());
  const unsigned char expected[] = {2, 0, 0, 0, 0x3c, 0, 0, 0x7c, 0, 0x3c, 1, 0, 0x3c, 0, 0x3c};
  BOOST_TEST(std::memcmp(out.data(), expected, sizeof expected) == 0);
}

BOOST_AUTO_TEST_CASE(a_label_that_tells_no_class_is_an_error_with_its_row) {
  const Schema schema{{.name = "flavour", .dtype = DType::uint8, .shape = {3}}};
  Table table;
  table.dataset = {.path = "jets/labels", .dtype = DType::uint8, .dims = {3}};
  table.parts = {{0, DType::uint8, DType::uint8, 0, 3, 3, How::argmax}};
  std::vector<std::byte> out(3);
  for (const auto& wrong : {std::vector<std::uint8_t>{0, 0, 0}, {0, 1, 1}}) {
    std::vector<std::uint8_t> hot{0, 0, 1, 1, 0, 0};
    hot.insert(hot.end(), wrong.begin(), wrong.end());
    const std::vector<const std::byte*> fields{at(hot)};
    BOOST_CHECK_EXCEPTION(assemble(table, schema, 100, 3, fields, out.data()), Error, [](auto& error) {
      const std::string what = error.what();
      return what.find("dataset jets/labels, row 102: field flavour holds no label") != std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(of_one_class_nothing_is_no_label) {
  const Schema schema{{.name = "flavour", .dtype = DType::float32, .shape = {1}}};
  Table table;
  table.dataset = {.path = "jets", .members = {{"flavour_label", DType::int32}}, .dims = {2}};
  table.parts = {{0, DType::float32, DType::int32, 0, 1, 1, How::argmax}};
  std::vector<std::byte> out(8);
  const std::vector<float> fine{1, 1}, wrong{1, 0};
  std::vector<const std::byte*> fields{at(fine)};
  assemble(table, schema, 0, 2, fields, out.data());
  BOOST_TEST((as<std::int32_t>(out) == std::vector<std::int32_t>{0, 0}));
  fields = {at(wrong)};
  BOOST_CHECK_THROW(assemble(table, schema, 0, 2, fields, out.data()), Error);
}

// Against one value after the other, for rows that are many and few, wide and narrow.
BOOST_AUTO_TEST_CASE(any_table_is_made_as_if_value_by_value) {
  std::mt19937 chance(20261129);
  const auto upto = [&](std::uint64_t n) { return chance() % n; };
  constexpr DType types[] = {DType::uint8, DType::int16, DType::float16, DType::float32, DType::int64, DType::float64};
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t records = 1 + upto(4), rows = round % 50 == 0 ? 5000 : upto(40), row = 1 + upto(90);
    Schema schema;
    Table table;
    table.records = records;
    table.dataset = {.path = "t", .members = {}, .dims = {rows, records}};
    std::vector<std::vector<std::byte>> data;
    for (std::uint64_t p = 0; p < 1 + upto(4); ++p) {
      Part part{p, types[upto(6)], types[upto(6)], 0, 1 + upto(5), 0};
      part.stride = upto(2) == 0 ? part.run : part.run + upto(3);
      part.first = upto(3);
      part.how = upto(4) == 0 ? How::zero_nan : How::values;
      const auto least = part.first + (records - 1) * part.stride + part.run;
      schema.push_back({.name = "f", .dtype = part.from, .shape = {upto(3) == 0 ? least + row : least}});
      auto& bytes = data.emplace_back(rows * schema.back().row_bytes());
      std::vector<std::int64_t> small(rows * schema.back().elements());
      for (auto& value : small) value = static_cast<std::int64_t>(upto(100));
      convert(at(small), DType::int64, small.size(), part.from, bytes.data());
      for (std::uint64_t v = 0; v < part.run; ++v) table.dataset.members.push_back({"m", part.to});
      table.parts.push_back(part);
    }
    std::vector<const std::byte*> fields;
    for (const auto& bytes : data) fields.push_back(bytes.data());
    const auto row_bytes = table.dataset.row_bytes();
    std::vector<std::byte> made(rows * row_bytes), expected(rows * row_bytes);
    assemble(table, schema, 0, rows, fields, made.data());
    auto* to = expected.data();
    for (std::uint64_t r = 0; r < rows * records; ++r)
      for (const auto& part : table.parts) {
        const auto* from = fields[part.field] + r / records * schema[part.field].row_bytes();
        for (std::uint64_t v = 0; v < part.run; ++v, to += size_of(part.to))
          convert(from + (part.first + r % records * part.stride + v) * size_of(part.from), part.from, 1, part.to, to);
      }
    BOOST_TEST_REQUIRE((made == expected), "round " << round);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::formats
