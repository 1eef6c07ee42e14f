#include "transform/field_transform.hpp"

#include <boost/test/unit_test.hpp>
#include <cfenv>
#include <set>

#include "random_field.hpp"

using namespace reference;

BOOST_AUTO_TEST_SUITE(field_transforming)

namespace {

using Place = std::tuple<std::uint64_t, std::uint64_t, std::string>;

struct Expected {
  std::vector<Real> values;  ///< NaN is a value too
  std::set<Place> bad;
};

Expected expected_of(const FieldSpec& field, const std::deque<RawItem>& raw, std::uint64_t rows) {
  Expected result;
  result.values.assign(rows * field.elements(), filled(field));
  for (std::size_t i = 0; i < field.items.size(); ++i)
    for (std::uint64_t row = 0; row < rows; ++row)
      for (std::uint64_t r = 0; r < field.records; ++r)
        for (std::size_t c = 0; c < field.items[i].columns.size(); ++c) {
          const auto& column = field.items[i].columns[c];
          const std::byte* record = raw[i].record[row][r];
          if (record == nullptr) continue;
          try {
            result.values[(row * field.records + r) * field.columns + field.items[i].first_column + c] =
                finished(column, read_cell(column.cell, record), field.dtype, field.overflow);
          } catch (Bad) {
            result.bad.emplace(row, field.items[i].repeated ? 0 : r, column.name);
          }
        }
  return result;
}

/// Applies every item; whether nobody complained. Complaints must be about a place that is bad.
bool apply_all(const FieldTransform& transform, const std::deque<RawItem>& raw, std::uint64_t rows,
               const Expected& expected, std::byte* out) {
  bool fine = true;
  for (std::size_t i = 0; i < raw.size(); ++i) try {
      transform.apply(i, raw[i].raw(), rows, raw[i].valid(), out);
    } catch (const BadValue& bad) {
      fine = false;
      if (bad.column.empty())
        BOOST_TEST(raw[i].too_long);
      else
        BOOST_TEST(expected.bad.count({bad.row, bad.record, bad.column}) == 1,
                   "row " << bad.row << " record " << bad.record << " column " << bad.column << ": " << bad.what());
    }
  return fine;
}

void check_values(const FieldSpec& field, const Expected& expected, const std::byte* out) {
  std::size_t wrong = 0;
  const auto size = size_of(field.dtype);
  for (std::size_t e = 0; e < expected.values.size(); ++e) {
    const Real got = decode(out + e * size, field.dtype);
    if (same(got, expected.values[e]) || wrong++ > 0) continue;
    BOOST_TEST(false, "element " << e << ": " << got << " instead of " << expected.values[e] << " as "
                                 << name_of(field.dtype));
  }
  BOOST_TEST(wrong == 0u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_fields_become_what_the_reference_says) {
  Random random(20240611);
  int fine = 0, refused = 0;
  for (int round = 0; round < 1500; ++round) {
    const auto field = any_field(random);
    const FieldTransform transform(field);
    const auto rows = 1 + below(random, one_in(random, 10) ? 400 : 12);
    const bool wild = one_in(random, 2);
    std::deque<RawItem> raw;  // never moved: it points into itself
    for (const auto& item : field.items) raw.push_back(any_rows(random, field, item, rows, wild));
    const auto expected = expected_of(field, raw, rows);
    Bytes out(rows * field.row_bytes() + 4, std::byte{0xa5});
    const bool good = apply_all(transform, raw, rows, expected, out.data() + 3);
    const bool too_long = std::any_of(raw.begin(), raw.end(), [](const auto& r) { return r.too_long; });
    BOOST_TEST(good == (expected.bad.empty() && !too_long));
    BOOST_TEST((out[2] == std::byte{0xa5} && out.back() == std::byte{0xa5}));
    if (good) check_values(field, expected, out.data() + 3);
    ++(good ? fine : refused);
  }
  BOOST_TEST(fine > 300);
  BOOST_TEST(refused > 200);
}

BOOST_AUTO_TEST_CASE(columns_of_one_type_are_scaled_each_its_own_way) {
  Random random(31);
  int fine = 0, refused = 0;
  for (int round = 0; round < 400; ++round) {
    const auto type = one_in(random, 2) ? DType::float32 : DType::float64;
    const bool big_endian = one_in(random, 2);
    FieldSpec field{.records = 1 + below(random, 9), .columns = 1 + static_cast<std::uint32_t>(below(random, 40))};
    field.dtype = one_in(random, 2) ? type : DType::float16;
    field.overflow = static_cast<Overflow>(below(random, 4));
    auto item = any_item(random, field.records, field.columns, one_in(random, 2));
    std::uint64_t offset = 0;
    for (auto& column : item.columns) {
      column = any_column(random, type, true);
      column.name = std::to_string(offset);
      column.cell.big_endian = big_endian;
      column.cf.reset(), column.log = column.tanh_log = false;
      if (column.nonfinite.kind == Nonfinite::Kind::keep) column.nonfinite.kind = Nonfinite::Kind::replace;
      offset += one_in(random, 20) ? 2 : 0;
      column.cell.offset = offset;
      offset += column.cell.bytes;
    }
    item.raw.record_bytes = offset;
    give_validity(random, item);
    field.items = {item};
    const auto rows = 1 + below(random, 300);
    std::deque<RawItem> raw;
    raw.push_back(any_rows(random, field, item, rows, one_in(random, 3)));
    if (raw[0].too_long) continue;
    const auto expected = expected_of(field, raw, rows);
    Bytes out(rows * field.row_bytes());
    const bool good = apply_all(FieldTransform(field), raw, rows, expected, out.data());
    BOOST_TEST(good == expected.bad.empty());
    if (good) check_values(field, expected, out.data());
    ++(good ? fine : refused);
  }
  BOOST_TEST(fine > 200);
  BOOST_TEST(refused > 20);
}

BOOST_AUTO_TEST_CASE(members_that_stand_together_become_neighbours_again) {
  Random random(32);
  int masked = 0;
  for (int round = 0; round < 400; ++round) {
    FieldSpec field{.records = 1 + below(random, 9), .columns = 0, .dtype = any_type(random)};
    for (int i = 0; i < 2; ++i) {
      auto item = any_item(random, field.records, 1 + static_cast<std::uint32_t>(below(random, 20)), true);
      std::uint64_t offset = below(random, 9);
      for (auto& column : item.columns) {
        column = {.name = std::to_string(offset),
                  .cell = {.dtype = field.dtype, .offset = offset, .bytes = size_of(field.dtype)},
                  .nonfinite = {Nonfinite::Kind::keep, 0}};
        offset += column.cell.bytes + (one_in(random, 40) ? 1 : 0);
      }
      item.raw.record_bytes = offset + below(random, 5);
      give_validity(random, item);
      item.first_column = field.columns;
      field.columns += static_cast<std::uint32_t>(item.columns.size());
      masked += item.valid.from == ValidSpec::From::record || item.valid.from == ValidSpec::From::outside ? 1 : 0;
      field.items.push_back(item);
    }
    const auto rows = 1 + below(random, 300);
    std::deque<RawItem> raw;
    for (const auto& item : field.items) raw.push_back(any_rows(random, field, item, rows, true));
    if (raw[0].too_long || raw[1].too_long) continue;
    const auto expected = expected_of(field, raw, rows);
    Bytes out(rows * field.row_bytes());
    BOOST_TEST(apply_all(FieldTransform(field), raw, rows, expected, out.data()));
    check_values(field, expected, out.data());
  }
  BOOST_TEST(masked > 200);
}

BOOST_AUTO_TEST_CASE(single_records_become_what_whole_rows_become) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    auto field = any_field(random);
    field.overflow = Overflow::truncate_saturate;
    const FieldTransform transform(field);
    std::deque<RawItem> raw;  // never moved: it points into itself
    for (const auto& item : field.items) raw.push_back(any_rows(random, field, item, 1, false));
    const auto expected = expected_of(field, raw, 1);
    if (!expected.bad.empty()) continue;
    Bytes out(field.row_bytes());
    transform.clear(1, out.data());
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (field.items[i].repeated)
        transform.apply(i, raw[i].raw(), 1, raw[i].valid(), out.data());
      else
        for (std::uint64_t r = 0; r < field.records; ++r)
          if (raw[i].record[0][r]) transform.apply_record(i, raw[i].record[0][r], r, out.data());
    }
    check_values(field, expected, out.data());
  }
}

BOOST_AUTO_TEST_CASE(garbage_of_invalid_records_is_never_computed_with) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    auto field = any_field(random);
    field.items.resize(1);
    field.columns = static_cast<std::uint32_t>(field.items[0].columns.size());
    if (field.items[0].valid.from == ValidSpec::From::nowhere) continue;
    field.dtype = DType::float64;
    for (auto& column : field.items[0].columns) column.log = false;
    const FieldTransform transform(field);
    const auto raw = any_rows(random, field, field.items[0], 50, false);
    if (raw.too_long) continue;
    Bytes out(50 * field.row_bytes());
    bool has_fill = false;  // these become NaN, and an error where nonfinite says so
    for (const auto& column : field.items[0].columns) has_fill |= column.cf.has_value();
    if (has_fill) continue;
    std::feclearexcept(FE_ALL_EXCEPT);
    transform.apply(0, raw.raw(), 50, raw.valid(), out.data());
    BOOST_TEST(std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW) == 0);
  }
}

BOOST_AUTO_TEST_CASE(validity_is_that_of_the_records) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    const auto field = any_field(random);
    const FieldTransform transform(field);
    for (std::size_t i = 0; i < field.items.size(); ++i) {
      if (field.items[i].valid.from == ValidSpec::From::outside) continue;
      const auto raw = any_rows(random, field, field.items[i], 9, true);
      Bytes valid(9 * field.records, std::byte{9});
      if (raw.too_long) {
        BOOST_CHECK_THROW(transform.validity(i, raw.raw(), 9, valid.data()), BadValue);
        continue;
      }
      transform.validity(i, raw.raw(), 9, valid.data());
      for (std::uint64_t r = 0; r < valid.size(); ++r)
        BOOST_REQUIRE((valid[r] == std::byte{raw.record[r / field.records][r % field.records] != nullptr}));
    }
  }
}

BOOST_AUTO_TEST_CASE(identity_means_the_same_bytes) {
  Random random(5);
  int found = 0;
  for (int round = 0; round < 6000; ++round) {
    auto field = any_field(random);
    if (one_in(random, 2)) field.dtype = field.items[0].columns[0].cell.dtype;
    field.fill = 0;
    const FieldTransform transform(field);
    if (!transform.identity()) continue;
    ++found;
    BOOST_TEST(field.items.size() == 1u);
    Bytes raw(11 * field.items[0].raw.row_bytes()), out(11 * field.row_bytes());
    for (auto& byte : raw) byte = static_cast<std::byte>(random());
    transform.apply(0, raw.data(), 11, nullptr, out.data());
    BOOST_TEST((raw == out));
  }
  BOOST_TEST(found > 20);
}

BOOST_AUTO_TEST_SUITE_END()
