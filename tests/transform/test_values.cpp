// What is told about values that cannot be, constants, statistics: cases by hand.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "transform/field_transform.hpp"

using namespace headrace;
using namespace headrace::transform;

BOOST_AUTO_TEST_SUITE(values)

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

FieldSpec two_columns(DType to = DType::float32) {
  FieldSpec spec;
  spec.records = 2;
  spec.columns = 2;
  spec.dtype = to;
  ItemSpec item;
  for (std::uint64_t c = 0; c < 2; ++c)
    item.columns.push_back({.name = c ? "eta" : "pt",
                            .cell = {.offset = 4 * c},
                            .nonfinite = {Nonfinite::Kind::error},
                            .scaled = true,
                            .shift = 1,
                            .scale = 2.0 + static_cast<double>(c)});
  item.raw = {.records = 2, .record_bytes = 8};
  spec.items.push_back(item);
  return spec;
}

/// "row record column: message" of the refusal of rows that are fine but for one value.
std::string refusal(const FieldSpec& spec, std::uint64_t row, std::uint64_t record, std::uint64_t column, float value) {
  std::vector<float> raw(5000 * 4, 1.5f);
  raw[row * 4 + record * 2 + column] = value;
  std::vector<double> out(raw.size());
  try {
    FieldTransform(spec).apply(0, reinterpret_cast<const std::byte*>(raw.data()), 5000, nullptr,
                               reinterpret_cast<std::byte*>(out.data()));
  } catch (const BadValue& bad) {
    return std::to_string(bad.row) + " " + std::to_string(bad.record) + " " + bad.column + ": " + bad.what();
  }
  return "no error";
}

bool starts(const std::string& text, const std::string& with) {
  const bool good = text.rfind(with, 0) == 0;
  if (!good) BOOST_TEST_MESSAGE(text);
  return good;
}

}  // namespace

BOOST_AUTO_TEST_CASE(refusals_tell_value_and_place) {
  auto spec = two_columns();
  BOOST_TEST(starts(refusal(spec, 4321, 1, 0, nan), "4321 1 pt: the value is NaN"));
  BOOST_TEST(starts(refusal(spec, 0, 0, 1, -INFINITY), "0 0 eta: the value is -inf"));
  spec.dtype = DType::float16;
  BOOST_TEST(starts(refusal(spec, 4999, 1, 1, 1e9f), "4999 1 eta: 333333"));
  spec.items[0].columns[1].shift = spec.items[0].columns[0].shift = -3e38;
  BOOST_TEST(starts(refusal(spec, 0, 0, 0, 3e38f), "0 0 pt: the computed value is inf"));
  auto same_scale = two_columns(DType::int16);  // contiguous, and everything alike
  same_scale.items[0].columns[1].scale = 2;
  BOOST_TEST(starts(refusal(same_scale, 3333, 1, 0, 7),
                    "0 0 pt: 0.25 does not fit int16 (it is no whole number); set "
                    "overflow = \"truncate\""));
  same_scale.overflow = Overflow::saturate;
  BOOST_TEST(starts(refusal(same_scale, 3333, 1, 0, 7),
                    "0 0 pt: 0.25 does not fit int16 (it is no whole number); set "
                    "overflow = [\"truncate\", \"saturate\"]"));
  same_scale.overflow = Overflow::truncate;
  BOOST_TEST(starts(refusal(same_scale, 3333, 1, 0, 1e6f),
                    "3333 1 pt: 499999.5 does not fit int16; set overflow = "
                    "[\"truncate\", \"saturate\"], another dtype"));
  BOOST_TEST(starts(refusal(same_scale, 3333, 0, 1, nan), "3333 0 eta: the value is NaN"));
  auto logs = two_columns();
  for (auto& column : logs.items[0].columns) column.log = true;
  BOOST_TEST(starts(refusal(logs, 2048, 0, 1, 0), "2048 0 eta: log of 0"));
  BOOST_TEST(starts(refusal(logs, 2048, 0, 1, -7), "2048 0 eta: log of -7"));
}

BOOST_AUTO_TEST_CASE(scales_that_make_no_sense_are_refused_at_once) {
  for (const double scale : {0., 1e-60, 1e60, static_cast<double>(INFINITY), static_cast<double>(nan)}) {
    auto spec = two_columns();
    spec.items[0].columns[1].scale = scale;
    BOOST_CHECK_EXCEPTION(FieldTransform{spec}, UsageError, [](const UsageError& error) {
      return std::string(error.what()).find("'eta'") != std::string::npos;
    });
  }
  auto text = two_columns();
  text.items[0].columns[0].cell.kind = CellKind::text;
  BOOST_CHECK_THROW(FieldTransform{text}, UsageError);
}

BOOST_AUTO_TEST_CASE(tanh_log_is_what_it_says) {
  auto spec = two_columns();
  for (auto& column : spec.items[0].columns) column.tanh_log = true, column.scaled = false;
  const float raw[4] = {0.001f, -250, 1e20f, -0.f};
  float out[4];
  FieldTransform(spec).apply(0, reinterpret_cast<const std::byte*>(raw), 1, nullptr, reinterpret_cast<std::byte*>(out));
  for (int i = 0; i < 4; ++i) {
    const double x = raw[i], expected = std::tanh(std::copysign(std::log1p(std::fabs(x)), x) / 2);
    BOOST_TEST(std::fabs(out[i] - expected) <= 2e-7 * std::fabs(expected));
  }
}

BOOST_AUTO_TEST_CASE(constants_fill_their_columns_and_fit) {
  auto spec = two_columns(DType::uint8);
  spec.columns = 3;
  spec.items.push_back({.columns = {{.name = "weight"}}, .first_column = 2, .constant = 7});
  const FieldTransform transform(spec);
  std::uint8_t out[12];
  std::memset(out, 9, sizeof(out));
  transform.fill(1, 2, reinterpret_cast<std::byte*>(out));
  for (int i = 0; i < 12; ++i) BOOST_TEST(int{out[i]} == (i % 3 == 2 ? 7 : 9));
  for (const double misfit : {300., -1., 0.5}) {
    spec.items[1].constant = misfit;
    BOOST_CHECK_THROW(FieldTransform{spec}, UsageError);
  }
}

BOOST_AUTO_TEST_CASE(clear_invalid_zeroes_all_columns_of_a_record) {
  const FieldTransform transform(two_columns());
  float out[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::byte valid[4] = {std::byte{1}, std::byte{0}, std::byte{0}, std::byte{1}};
  transform.clear_invalid(2, valid, reinterpret_cast<std::byte*>(out));
  const float expected[8] = {1, 2, 0, 0, 0, 0, 7, 8};
  BOOST_TEST(out == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(statistics_are_of_valid_finite_values_before_they_are_scaled) {
  auto spec = two_columns();
  for (auto& column : spec.items[0].columns) column.nonfinite.kind = Nonfinite::Kind::keep;
  spec.items[0].columns[1].log = true;
  const float raw[8] = {1, 1, nan, 1, 1e9f, -5, 3, INFINITY};
  const std::byte valid[4] = {std::byte{1}, std::byte{1}, std::byte{0}, std::byte{1}};
  ItemStatistics statistics;
  const FieldTransform transform(spec);
  for (int twice = 0; twice < 2; ++twice)
    transform.measure(0, reinterpret_cast<const std::byte*>(raw), 2, valid, statistics);
  BOOST_TEST(statistics.columns.size() == 2u);
  BOOST_TEST(statistics.columns[0].count == 4u);
  BOOST_TEST(statistics.columns[0].mean == 2);
  BOOST_TEST(statistics.columns[1].count == 4u);
  BOOST_TEST(statistics.columns[1].greatest == 0);
}

BOOST_AUTO_TEST_CASE(overlong_rows_say_what_to_do) {
  FieldSpec spec = two_columns();
  spec.items[0].raw.ragged = true;
  spec.items[0].valid.from = ValidSpec::From::length;
  std::vector<float> values(14, 3);
  const Ragged rows[2] = {{2, reinterpret_cast<const std::byte*>(values.data())},
                          {7, reinterpret_cast<const std::byte*>(values.data())}};
  float out[8];
  const auto raw = reinterpret_cast<const std::byte*>(rows);
  BOOST_CHECK_EXCEPTION(FieldTransform{spec}.apply(0, raw, 2, nullptr, reinterpret_cast<std::byte*>(out)), BadValue,
                        [](const BadValue& bad) {
                          return bad.row == 1 && std::string(bad.what()) ==
                                                     "the row has 7 elements, more than pad = 2; set overlong = "
                                                     "\"truncate\" or a larger pad";
                        });
  spec.truncate = true;
  FieldTransform{spec}.apply(0, raw, 2, nullptr, reinterpret_cast<std::byte*>(out));
  BOOST_TEST(out[6] == 1.f);
}

BOOST_AUTO_TEST_SUITE_END()
