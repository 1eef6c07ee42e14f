// What is computed in float64: sources with more bits than float32 holds, and fields that are float64. On every way
// that values take: alone and beside others, flat rows and records, repeated, by validity, joined, through a plugin,
// measured.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "transform/field_transform.hpp"
#include "transform/plugin.hpp"

using namespace headrace;
using namespace headrace::transform;

BOOST_AUTO_TEST_SUITE(wide_arithmetic)

namespace {

constexpr std::uint64_t rows = 3000;
constexpr std::int64_t long_ago = 1'500'000'000;

ColumnSpec column_of(DType type, double shift, double scale = 1) {
  return {.name = "t",
          .cell = {.dtype = type, .bytes = size_of(type)},
          .nonfinite = {Nonfinite::Kind::error},
          .scaled = true,
          .shift = shift,
          .scale = scale};
}

/// One column of a value a row.
FieldSpec field_of(const ColumnSpec& column, DType to, std::uint64_t record_bytes = 0) {
  FieldSpec spec{.name = "f", .dtype = to};
  spec.items.push_back({.dataset = "d",
                        .raw = {.records = 1, .record_bytes = std::max(record_bytes, size_of(column.cell.dtype))},
                        .columns = {column}});
  return spec;
}

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const auto* first = reinterpret_cast<const std::byte*>(values.data());
  return {first, first + values.size() * sizeof(T)};
}

template <class T>
std::vector<std::byte> counted(std::int64_t first) {
  std::vector<T> values(rows);
  for (std::size_t i = 0; i < rows; ++i) values[i] = static_cast<T>(static_cast<std::uint64_t>(first) + i);
  return bytes_of(values);
}

template <class Out>
std::vector<Out> applied(const FieldSpec& spec, const std::vector<std::byte>& raw, const std::byte* valid = nullptr) {
  const auto n = raw.size() / spec.items[0].raw.row_bytes();
  std::vector<Out> out(n * spec.elements(), Out(77));
  FieldTransform(spec).apply(0, raw.data(), n, valid, reinterpret_cast<std::byte*>(out.data()));
  return out;
}

template <class Out>
bool counts(const std::vector<Out>& out, double scale = 1) {
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i] != static_cast<Out>(static_cast<double>(i) / scale)) return false;
  return out.size() == rows;
}

}  // namespace

BOOST_AUTO_TEST_CASE(integers_of_32_bits_keep_their_digits_whatever_is_delivered) {
  const auto stamps = counted<std::int32_t>(long_ago), ids = counted<std::uint32_t>(4'294'960'000);
  const auto signed_stamps = column_of(DType::int32, long_ago, 7),
             unsigned_ids = column_of(DType::uint32, 4'294'960'000, 7);
  BOOST_TEST(counts(applied<float>(field_of(signed_stamps, DType::float32), stamps), 7));
  BOOST_TEST(counts(applied<double>(field_of(signed_stamps, DType::float64), stamps), 7));
  BOOST_TEST(counts(applied<float>(field_of(unsigned_ids, DType::float32), ids), 7));
  const auto whole = column_of(DType::int32, long_ago);
  BOOST_TEST(counts(applied<std::int16_t>(field_of(whole, DType::int16), stamps)));
  BOOST_TEST(counts(applied<std::uint64_t>(field_of(whole, DType::uint64), stamps)));
}

BOOST_AUTO_TEST_CASE(records_of_a_compound_repeated_invalid_and_joined_ones_too) {
  struct Record {
    float x;
    std::int32_t t;
    std::int32_t valid;
  };
  std::vector<Record> records(rows);
  for (std::size_t i = 0; i < rows; ++i)
    records[i] = {1, static_cast<std::int32_t>(long_ago + static_cast<std::int64_t>(i)), i % 3 != 0};
  const auto raw = bytes_of(records);
  auto column = column_of(DType::int32, long_ago);
  column.cell.offset = 4;
  auto spec = field_of(column, DType::float32, sizeof(Record));
  BOOST_TEST(counts(applied<float>(spec, raw)));
  spec.items[0].valid = {ValidSpec::From::record, {.dtype = DType::int32, .offset = 8}};
  const auto some = applied<float>(spec, raw);
  for (std::size_t i = 0; i < rows; ++i) BOOST_REQUIRE(some[i] == (i % 3 != 0 ? static_cast<float>(i) : 0));
  spec.items[0].valid = {};
  float one = 0;
  FieldTransform(spec).apply_record(0, raw.data() + 41 * sizeof(Record), 0, reinterpret_cast<std::byte*>(&one));
  BOOST_TEST(one == 41);
  spec.records = 2, spec.items[0].repeated = true;
  const auto twice = applied<float>(spec, raw);
  for (std::size_t i = 0; i < twice.size(); ++i) BOOST_REQUIRE(twice[i] == static_cast<float>(i / 2));
}

BOOST_AUTO_TEST_CASE(columns_of_several_types_side_by_side) {
  struct Record {
    float x;
    std::int32_t t;
    double y;
  };
  const std::vector<Record> records(rows, {16'777'216, 1'500'000'003, 1e9 + 3.5});
  FieldSpec spec{.name = "f", .columns = 3, .dtype = DType::float32};
  ItemSpec item{.dataset = "d", .raw = {.records = 1, .record_bytes = sizeof(Record)}};
  item.columns = {column_of(DType::float32, 16'777'200), column_of(DType::int32, long_ago),
                  column_of(DType::float64, 1e9)};
  item.columns[1].cell.offset = offsetof(Record, t), item.columns[2].cell.offset = offsetof(Record, y);
  spec.items = {item};
  const auto out = applied<float>(spec, bytes_of(records));
  for (std::size_t i = 0; i < out.size(); i += 3) {
    BOOST_REQUIRE(out[i] == 16);
    BOOST_REQUIRE(out[i + 1] == 3);
    BOOST_REQUIRE(out[i + 2] == 3.5);
  }
}

BOOST_AUTO_TEST_CASE(float32_that_is_to_be_float64_is_computed_in_it) {
  const float x = 0.1f;
  const std::vector<float> records(2 * rows, x);
  FieldSpec spec{.name = "f", .columns = 2, .dtype = DType::float64};
  ItemSpec item{.dataset = "d", .raw = {.records = 1, .record_bytes = 8}};
  item.columns = {column_of(DType::float32, 0.3, 0.7), column_of(DType::float32, 1e9 + 1, 3)};
  item.columns[1].cell.offset = 4;
  spec.items = {item};
  const auto out = applied<double>(spec, bytes_of(records));
  for (std::size_t i = 0; i < out.size(); i += 2) {
    BOOST_REQUIRE(out[i] == (static_cast<double>(x) - 0.3) / 0.7);
    BOOST_REQUIRE(out[i + 1] == (static_cast<double>(x) - (1e9 + 1)) / 3);
  }
  auto single = column_of(DType::float32, 0);
  single.scaled = false, single.log = true;
  const auto logs = applied<double>(field_of(single, DType::float64), bytes_of(std::vector<float>(rows, 3)));
  BOOST_TEST(logs[rows - 1] == std::log(3.0));
  single.log = false, single.tanh_log = true;
  const auto squashed = applied<double>(field_of(single, DType::float64), bytes_of(std::vector<float>(rows, 1)));
  BOOST_TEST(squashed[0] == 1.0 / 3);
}

BOOST_AUTO_TEST_CASE(small_integers_become_large_ones_exactly) {
  const auto column = column_of(DType::int16, -2'000'000'000);
  const auto out =
      applied<std::int32_t>(field_of(column, DType::int32), bytes_of(std::vector<std::int16_t>(rows, 30'001)));
  BOOST_TEST(out[17] == 2'000'030'001);
}

BOOST_AUTO_TEST_CASE(integers_of_64_bits_are_shifted_before_they_are_rounded) {
  constexpr std::int64_t far = (std::int64_t{1} << 62) + 1024;  // float64 holds every 1024th there
  const auto ids = counted<std::int64_t>(far);
  BOOST_TEST(counts(applied<double>(field_of(column_of(DType::int64, static_cast<double>(far)), DType::float64), ids)));
  BOOST_TEST(
      counts(applied<float>(field_of(column_of(DType::int64, static_cast<double>(far), 7), DType::float32), ids), 7));
  BOOST_TEST(
      counts(applied<std::int64_t>(field_of(column_of(DType::int64, static_cast<double>(far)), DType::int64), ids)));
  constexpr std::uint64_t farther = ~std::uint64_t{0} - 8191;
  BOOST_TEST(counts(applied<double>(field_of(column_of(DType::uint64, static_cast<double>(farther)), DType::float64),
                                    counted<std::uint64_t>(static_cast<std::int64_t>(farther)))));
  const std::vector<std::int64_t> ends{INT64_MIN, INT64_MAX, 0, 3};
  const auto at = [&](double shift) {
    return applied<double>(field_of(column_of(DType::int64, shift), DType::float64), bytes_of(ends));
  };
  BOOST_TEST(at(0.5) == (std::vector<double>{-0x1p63, 0x1p63, -0.5, 2.5}), boost::test_tools::per_element());
  BOOST_TEST(at(0x1p62) == (std::vector<double>{-0x1.8p63, 0x1p62, -0x1p62, 3 - 0x1p62}),
             boost::test_tools::per_element());
  BOOST_TEST(at(-0x1p63) == (std::vector<double>{0, 0x1p64, 0x1p63, 0x1p63 + 3}), boost::test_tools::per_element());
  BOOST_TEST(at(0x1p63)[1] == 0);  // no int64: subtracted in float64
  BOOST_TEST(at(1e300)[3] == -1e300);
}

BOOST_AUTO_TEST_CASE(cf_decoding_of_long_integers) {
  auto column = column_of(DType::int32, 0);
  column.scaled = false, column.nonfinite.kind = Nonfinite::Kind::keep;
  column.cf = CfDecoding{.scale_factor = 0.5, .add_offset = -750'000'000, .scaled = true, .dtype = DType::float32};
  BOOST_TEST(counts(applied<float>(field_of(column, DType::float32), counted<std::int32_t>(long_ago)), 2));
}

BOOST_AUTO_TEST_CASE(fill_values_of_64_bits_are_compared_as_they_are) {
  const std::vector<std::int64_t> raw{INT64_MAX, INT64_MAX - 1, -1, 7, INT64_MIN, INT64_MIN + 1};
  auto column = column_of(DType::int64, 0);
  column.scaled = false, column.nonfinite.kind = Nonfinite::Kind::keep;
  column.cf =
      CfDecoding{.fill_values = {7}, .whole_fills = {Whole(INT64_MAX), Whole(INT64_MIN)}, .dtype = DType::float64};
  const auto missing = [&] {
    std::string text;
    for (const auto value : applied<double>(field_of(column, DType::float64), bytes_of(raw)))
      text += std::isnan(value) ? 'x' : '.';
    return text;
  };
  BOOST_TEST(missing() == "x..xx.");
  column.cf->read_as = DType::uint64;
  column.cf->whole_fills = {Whole(UINT64_MAX)};
  BOOST_TEST(missing() == "..xx..");
}

BOOST_AUTO_TEST_CASE(plugins_see_the_types_that_they_were_promised) {
  // The example adds the column's sum to its last column: here it doubles each value, in the type that it is given.
  const auto plugin =
      std::make_shared<Plugin>(EXAMPLE_PLUGIN, Plugin::Setup{.args = "power=1", .dataset = "d", .columns = {"t"}});
  auto shorter = field_of(column_of(DType::int32, 2 * long_ago), DType::float64);
  auto longer = field_of(column_of(DType::int64, 2 * long_ago), DType::float32);
  shorter.items[0].plugin = longer.items[0].plugin = plugin;
  const auto floats = applied<double>(shorter, counted<std::int32_t>(long_ago));
  const auto doubles = applied<float>(longer, counted<std::int64_t>(long_ago));
  for (std::size_t i = 0; i < rows; ++i) {
    const float rounded = static_cast<float>(long_ago + static_cast<std::int64_t>(i));
    BOOST_REQUIRE(floats[i] == 2 * static_cast<double>(rounded) - 2 * long_ago);
    BOOST_REQUIRE(doubles[i] == static_cast<float>(2 * i));
  }
}

BOOST_AUTO_TEST_CASE(statistics_of_logarithms_have_the_digits) {
  auto column = column_of(DType::int32, 0);
  column.scaled = false, column.log = true;
  ItemStatistics found;
  const auto raw = counted<std::int32_t>(long_ago);
  FieldTransform(field_of(column, DType::float32)).measure(0, raw.data(), rows, nullptr, found);
  BOOST_TEST(found.columns[0].least == std::log(1.5e9));
  BOOST_TEST(found.columns[0].greatest == std::log(1.5e9 + static_cast<double>(rows) - 1));
}

BOOST_AUTO_TEST_CASE(what_takes_the_place_of_nan_must_be_finite_there) {
  auto column = column_of(DType::float32, 0);
  column.scaled = false;
  column.nonfinite = {Nonfinite::Kind::replace, 1e300};
  BOOST_CHECK_EXCEPTION(FieldTransform{field_of(column, DType::float32)}, UsageError, [](const UsageError& error) {
    return std::string(error.what()).find("1e+300") != std::string::npos;
  });
  const auto out = applied<double>(field_of(column, DType::float64), bytes_of(std::vector<float>{NAN, 1}));
  BOOST_TEST(out[0] == 1e300);
}

BOOST_AUTO_TEST_SUITE_END()
