// Values that stand in files otherwise than they are delivered: expected ones by hand, and from PyTables.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "data/selection/column_values.hpp"
#include "transform/cells.hpp"
#include "transform/field_transform.hpp"

using namespace headrace;
using namespace headrace::data::selection;
using namespace headrace::transform;

BOOST_AUTO_TEST_SUITE(cells)

namespace {

/// 1500000000.25, 0.5, -1.75 and 0, as PyTables writes them into a Time64Col.
const std::int64_t packed_times[] = {6442450944000250000, 500000, -750000, 0};
const std::vector<double> times = {1500000000.25, 0.5, -1.75, 0};

const Cell time_cell{.dtype = DType::float64, .bytes = 8, .timeval = true};

FieldSpec field_of(const Cell& cell, DType to) {
  FieldSpec spec;
  spec.dtype = to;
  ItemSpec item;
  item.columns.push_back({.name = "when", .cell = cell});
  item.raw = {.records = 1, .record_bytes = 8};
  spec.items.push_back(item);
  return spec;
}

}  // namespace

BOOST_AUTO_TEST_CASE(times_of_pytables_are_seconds) {
  const auto* raw = reinterpret_cast<const std::byte*>(packed_times);
  const FieldTransform transform(field_of(time_cell, DType::float64));
  BOOST_TEST(!transform.identity());
  std::vector<double> out(4);
  transform.apply(0, raw, 4, nullptr, reinterpret_cast<std::byte*>(out.data()));
  BOOST_TEST(out == times, boost::test_tools::per_element());
  auto values = make_values(time_cell, 4);
  load_values(time_cell, raw, 8, 4, values, 0);
  BOOST_TEST(std::get<std::vector<double>>(values) == times, boost::test_tools::per_element());
  ItemStatistics statistics;
  transform.measure(0, raw, 4, nullptr, statistics);
  BOOST_TEST(statistics.columns[0].least == -1.75);
}

BOOST_AUTO_TEST_CASE(times_of_the_other_byte_order_and_scaled_ones) {
  std::vector<std::byte> swapped(32);
  for (std::size_t i = 0; i < 32; ++i)
    swapped[i] = reinterpret_cast<const std::byte*>(packed_times)[i / 8 * 8 + 7 - i % 8];
  auto cell = time_cell;
  cell.big_endian = true;
  auto spec = field_of(cell, DType::float32);
  auto& column = spec.items[0].columns[0];
  column.scaled = true;
  column.shift = 1500000000;
  column.scale = 0.5;
  column.nonfinite.kind = Nonfinite::Kind::error;
  std::vector<float> out(4);
  FieldTransform(spec).apply(0, swapped.data(), 1, nullptr, reinterpret_cast<std::byte*>(out.data()));
  BOOST_TEST(out[0] == 0.5f);
  // Beside another column of the same type, which fast paths take together.
  spec.columns = 2;
  spec.items[0].columns.push_back(column);
  spec.items[0].columns[1].cell = {.dtype = DType::float64, .big_endian = true, .bytes = 8};
  spec.items[0].columns[1].scale = 1e100;  // read so they are 1e123, which no float32 holds
  FieldTransform(spec).apply(0, swapped.data(), 1, nullptr, reinterpret_cast<std::byte*>(out.data()));
  BOOST_TEST(out[0] == 0.5f);
  BOOST_TEST(out[1] != 0.5f);
}

BOOST_AUTO_TEST_CASE(texts_end_where_their_padding_begins) {
  const auto text = [](TextEnd ends, const char(&raw)[7]) {
    const Cell cell{.kind = CellKind::text, .bytes = 6, .ends = ends};
    return std::string(load_text(cell, reinterpret_cast<const std::byte*>(raw)));
  };
  using namespace std::string_literals;
  BOOST_TEST(text(TextEnd::first_nul, "ab\0cd\0") == "ab");
  BOOST_TEST(text(TextEnd::first_nul, "ab    ") == "ab    ");
  BOOST_TEST(text(TextEnd::first_nul, "abcdef") == "abcdef");
  BOOST_TEST(text(TextEnd::nuls, "ab\0cd\0") == "ab\0cd"s);
  BOOST_TEST(text(TextEnd::nuls, "ab \0\0\0") == "ab ");
  BOOST_TEST(text(TextEnd::nuls, "\0\0\0\0\0\0") == "");
  BOOST_TEST(text(TextEnd::spaces, "ab\0c  ") == "ab\0c"s);
  BOOST_TEST(text(TextEnd::spaces, "      ") == "");
  BOOST_TEST(text(TextEnd::spaces, "ab\0\0\0\0") == "ab\0\0\0\0"s);
}

BOOST_AUTO_TEST_SUITE_END()
