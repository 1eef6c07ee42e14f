#include <boost/test/unit_test.hpp>
#include <cstring>

#include "base/error.hpp"
#include "transform/field_transform.hpp"

using namespace headrace;
using namespace headrace::transform;

BOOST_AUTO_TEST_SUITE(encoding)

namespace {

FieldSpec labels(const Cell& cell, std::vector<LabelMap::Class> classes, bool one_hot, DType to) {
  FieldSpec spec;
  spec.labels = std::make_shared<LabelMap>(std::move(classes));
  spec.one_hot = one_hot;
  spec.columns = one_hot ? static_cast<std::uint32_t>(spec.labels->size()) : 1;
  spec.dtype = to;
  ItemSpec item;
  item.columns.push_back({.name = "flavour", .cell = cell});
  item.raw = {.records = 1, .record_bytes = cell.offset + cell.bytes};
  spec.items.push_back(item);
  return spec;
}

const std::vector<LabelMap::Class> flavours = {{"b", {"5"}}, {"c", {"4"}}, {"light", {"0", "-1"}}};

template <class Out>
std::vector<Out> encoded(const FieldSpec& spec, const void* raw, std::uint64_t rows, const std::byte* valid = nullptr) {
  const FieldTransform transform(spec);
  std::vector<Out> out(rows * spec.elements(), Out(77));
  transform.apply(0, static_cast<const std::byte*>(raw), rows, valid, reinterpret_cast<std::byte*>(out.data()));
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(integers_to_indices_and_one_hot) {
  const std::int16_t raw[] = {0x0500, 0, -1, 0x0400};  // big-endian
  const Cell cell{.dtype = DType::int16, .big_endian = true, .bytes = 2};
  const auto index = encoded<std::int64_t>(labels(cell, flavours, false, DType::int64), raw, 4);
  const std::vector<std::int64_t> expected = {0, 2, 2, 1};
  BOOST_TEST(index == expected, boost::test_tools::per_element());
  const auto hot = encoded<float>(labels(cell, flavours, true, DType::float32), raw, 4);
  const std::vector<float> ones = {1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0};
  BOOST_TEST(hot == ones, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(other_types_and_invalid_records) {
  const std::uint64_t raw[] = {5, ~0ull, 4};
  const std::byte valid[] = {std::byte{1}, std::byte{0}, std::byte{1}};
  const Cell cell{.dtype = DType::uint64, .bytes = 8};
  const auto index = encoded<std::uint8_t>(labels(cell, flavours, false, DType::uint8), raw, 3, valid);
  const std::vector<std::uint8_t> expected = {0, 0, 1};
  BOOST_TEST(index == expected, boost::test_tools::per_element());
  const auto hot = encoded<std::uint16_t>(labels(cell, flavours, true, DType::float16), raw, 3, valid);
  const std::vector<std::uint16_t> ones = {0x3c00, 0, 0, 0, 0, 0, 0, 0x3c00, 0};
  BOOST_TEST(hot == ones, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(types_that_do_not_tell_the_classes_apart_are_refused) {
  using enum DType;
  const auto fits = [](std::size_t classes, DType to, bool one_hot = false) {
    std::vector<LabelMap::Class> all;
    for (std::size_t i = 0; i < classes; ++i) all.push_back({std::to_string(i), {std::to_string(i)}});
    try {
      FieldTransform{labels({.dtype = int32}, std::move(all), one_hot, to)};
      return true;
    } catch (const UsageError& error) {
      BOOST_TEST(std::string(error.what()).starts_with("dtype: "));
      return false;
    }
  };
  const std::pair<DType, std::size_t> most[] = {
      {boolean, 2}, {int8, 128}, {uint8, 256}, {bfloat16, 257}, {float16, 2049}};
  for (const auto& [to, classes] : most) {
    BOOST_TEST(fits(classes, to), name_of(to));
    BOOST_TEST(!fits(classes + 1, to), name_of(to));
    BOOST_TEST(fits(classes + 1, to, true), name_of(to));
  }
  for (const auto to : {int16, uint16, int32, uint64, float32, float64}) BOOST_TEST(fits(3000, to), name_of(to));
}

BOOST_AUTO_TEST_CASE(texts_however_they_are_ended) {
  char raw[4][6] = {};
  std::memcpy(raw[0], "dog", 4);
  std::memcpy(raw[1], "cat   ", 6);
  std::memcpy(raw[2], "ferret", 6);
  std::memcpy(raw[3], "dog\0no", 6);
  const std::vector<LabelMap::Class> animals = {{"cat", {"cat"}}, {"dog", {"dog"}}, {"ferret", {"ferret"}}};
  const std::vector<std::int64_t> expected = {1, 0, 2, 1};
  const auto code = [&](TextEnd ends, std::size_t i, std::vector<LabelMap::Class> classes) {
    const Cell cell{.kind = CellKind::text, .bytes = 6, .ends = ends};
    return encoded<std::int64_t>(labels(cell, std::move(classes), false, DType::int64), raw[i], 1)[0];
  };
  BOOST_TEST(code(TextEnd::first_nul, 0, animals) == 1);
  BOOST_TEST(code(TextEnd::first_nul, 2, animals) == 2);
  BOOST_TEST(code(TextEnd::first_nul, 3, animals) == 1);
  BOOST_TEST(code(TextEnd::nuls, 0, animals) == 1);
  BOOST_TEST(code(TextEnd::spaces, 1, animals) == 0);
  BOOST_TEST(code(TextEnd::spaces, 2, animals) == 2);
  // What is no padding there is part of the text.
  BOOST_CHECK_THROW(code(TextEnd::first_nul, 1, animals), BadValue);
  BOOST_CHECK_THROW(code(TextEnd::nuls, 1, animals), BadValue);
  BOOST_CHECK_THROW(code(TextEnd::spaces, 0, animals), BadValue);
  using namespace std::string_literals;
  BOOST_TEST(code(TextEnd::nuls, 3, {{"dog", {"dog"}}, {"other", {"dog\0no"s}}}) == 1);
  BOOST_TEST(code(TextEnd::nuls, 1, {{"cat", {"cat"}}, {"wide", {"cat   "}}}) == 1);
  BOOST_TEST(code(TextEnd::spaces, 0, {{"dog", {"dog"}}, {"padded", {"dog\0\0\0"s}}}) == 1);
  const char* pointers[] = {"dog", "cat", "ferret", "dog"};
  const auto by_pointer = encoded<std::int64_t>(
      labels({.kind = CellKind::text_pointer, .bytes = 8}, animals, false, DType::int64), pointers, 4);
  BOOST_TEST(by_pointer == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(unknown_labels_are_named_with_the_classes) {
  std::vector<std::int32_t> raw(5000, 4);
  raw[4321] = 15;
  const auto spec = labels({.dtype = DType::int32}, flavours, true, DType::float32);
  BOOST_CHECK_EXCEPTION(encoded<float>(spec, raw.data(), raw.size()), BadValue, [](const BadValue& bad) {
    const std::string what = bad.what();
    return bad.row == 4321 && bad.column == "flavour" && what.find("'15'") != what.npos &&
           what.find("b:5, c:4, light:0|-1") != what.npos;
  });
  const char* pointers[] = {"dog", nullptr};
  BOOST_CHECK_EXCEPTION(
      encoded<std::int64_t>(
          labels({.kind = CellKind::text_pointer, .bytes = 8}, {{"dog", {"dog"}}}, false, DType::int64), pointers, 2),
      BadValue, [](const BadValue& bad) { return bad.row == 1; });
}

BOOST_AUTO_TEST_CASE(integers_beyond_int64) {
  const std::vector<LabelMap::Class> ids{{"last", {"18446744073709551615"}}, {"none", {"-1", "9223372036854775808"}}};
  const std::uint64_t raw[] = {UINT64_MAX, std::uint64_t{1} << 63};
  const Cell cell{.dtype = DType::uint64, .bytes = 8};
  const auto index = encoded<std::int64_t>(labels(cell, ids, false, DType::int64), raw, 2);
  const std::vector<std::int64_t> expected = {0, 1};
  BOOST_TEST(index == expected, boost::test_tools::per_element());
  const std::uint64_t unknown = UINT64_MAX - 1;
  BOOST_CHECK_EXCEPTION(
      encoded<std::int64_t>(labels(cell, ids, false, DType::int64), &unknown, 1), BadValue, [](const BadValue& bad) {
        return std::string(bad.what()).starts_with("label '18446744073709551614' belongs to no class");
      });
}

BOOST_AUTO_TEST_CASE(floats_that_are_whole_numbers) {
  const float raw[] = {5, -1, 4, 0, -0.0f};
  const auto index = encoded<std::int64_t>(labels({.dtype = DType::float32}, flavours, false, DType::int64), raw, 5);
  const std::vector<std::int64_t> expected = {0, 2, 1, 2, 2};
  BOOST_TEST(index == expected, boost::test_tools::per_element());
  const std::uint16_t half[] = {0x4500, 0x4400};  // 5 and 4
  const auto hot =
      encoded<float>(labels({.dtype = DType::float16, .bytes = 2}, flavours, true, DType::float32), half, 2);
  const std::vector<float> ones = {1, 0, 0, 0, 1, 0};
  BOOST_TEST(hot == ones, boost::test_tools::per_element());
  const auto refusal = [&](double value) {
    try {
      encoded<float>(labels({.dtype = DType::float64, .bytes = 8}, flavours, true, DType::float32), &value, 1);
    } catch (const BadValue& bad) {
      return std::string(bad.what());
    }
    return std::string("none");
  };
  BOOST_TEST(refusal(0.5).starts_with("label 0.5 is no whole number"));
  BOOST_TEST(refusal(std::numeric_limits<double>::quiet_NaN()).starts_with("label NaN is no whole number"));
  BOOST_TEST(refusal(7).starts_with("label '7' belongs to no class"));
}

BOOST_AUTO_TEST_CASE(texts_in_messages_are_readable) {
  const char raw[] = "a\0b\xff";
  const Cell cell{.kind = CellKind::text, .bytes = 4, .ends = TextEnd::nuls};
  BOOST_CHECK_EXCEPTION(
      encoded<float>(labels(cell, flavours, true, DType::float32), raw, 1), BadValue,
      [](const auto& bad) { return std::string(bad.what()).starts_with("label 'a\\x00b\\xff' belongs to no class"); });
}

BOOST_AUTO_TEST_CASE(very_many_classes) {
  std::vector<LabelMap::Class> classes;
  for (int i = 0; i < 5000; ++i) classes.push_back({std::to_string(i), {std::to_string(i)}});
  const std::int32_t raw[] = {4999, 0, 123};
  const auto hot = encoded<double>(labels({.dtype = DType::int32}, classes, true, DType::float64), raw, 3);
  for (std::size_t i = 0; i < hot.size(); ++i) BOOST_REQUIRE(hot[i] == (i == 4999 || i == 5000 || i == 10123 ? 1 : 0));
}

BOOST_AUTO_TEST_CASE(labels_of_floats_are_counted) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double raw[] = {4, nan, 15, 4, nan, 0.5};
  const FieldTransform transform(labels({.dtype = DType::float64, .bytes = 8}, flavours, false, DType::int64));
  ItemStatistics statistics;
  transform.measure(0, reinterpret_cast<const std::byte*>(raw), 6, nullptr, statistics);
  const std::map<std::string, std::uint64_t> expected = {{"4", 2}, {"15", 1}, {"0.5", 1}, {"NaN", 2}};
  BOOST_TEST((statistics.labels == expected));
}

BOOST_AUTO_TEST_CASE(labels_are_counted) {
  const std::int32_t raw[] = {4, 15, 4, -3};
  const FieldTransform transform(labels({.dtype = DType::int32}, flavours, false, DType::int64));
  const std::byte valid[] = {std::byte{1}, std::byte{1}, std::byte{1}, std::byte{0}};
  ItemStatistics statistics;
  transform.measure(0, reinterpret_cast<const std::byte*>(raw), 4, valid, statistics);
  const std::map<std::string, std::uint64_t> expected = {{"4", 2}, {"15", 1}};
  BOOST_TEST((statistics.labels == expected));
}

BOOST_AUTO_TEST_CASE(what_is_computed_is_no_label) {
  auto scaled = labels({.dtype = DType::int32}, flavours, false, DType::int64);
  scaled.items[0].columns[0].scaled = true;
  BOOST_CHECK_THROW(FieldTransform{scaled}, UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
