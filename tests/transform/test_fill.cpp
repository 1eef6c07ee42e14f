// The value of what is not valid, wherever such records come from.
#include <boost/test/unit_test.hpp>
#include <cstring>

#include "base/error.hpp"
#include "transform/field_transform.hpp"
#include "transform/plugin.hpp"

using namespace headrace;
using namespace headrace::transform;

BOOST_AUTO_TEST_SUITE(filling)

namespace {

using Ints = std::vector<std::int32_t>;

/// Rows of three records of one int32 column, filled with -1.
FieldSpec three_records() {
  FieldSpec spec{.name = "f", .records = 3, .dtype = DType::int32, .fill = -1};
  spec.items.push_back({.dataset = "d",
                        .raw = {.records = 3, .record_bytes = 8},
                        .columns = {{.name = "n", .cell = {.dtype = DType::int32}}}});
  return spec;
}

struct Record {
  std::int32_t n, valid;
};
const std::vector<Record> six{{5, 1}, {6, 0}, {7, 1}, {8, 1}, {9, 1}, {10, 0}};
constexpr std::byte yes{1}, no{0};

Ints applied(const FieldSpec& spec, const void* raw, std::uint64_t rows, const std::byte* valid = nullptr) {
  Ints out(rows * spec.elements(), 77);
  FieldTransform(spec).apply(0, static_cast<const std::byte*>(raw), rows, valid,
                             reinterpret_cast<std::byte*>(out.data()));
  return out;
}

std::string refusal(FieldSpec spec, double fill, DType to) {
  spec.fill = fill, spec.dtype = to;
  try {
    FieldTransform{spec};
  } catch (const UsageError& error) {
    return error.what();
  }
  return "fits";
}

}  // namespace

BOOST_AUTO_TEST_CASE(records_by_their_own_word_and_by_that_of_others) {
  auto spec = three_records();
  const std::byte outside[6] = {no, yes, yes, yes, no, yes};
  BOOST_TEST(applied(spec, six.data(), 2) == (Ints{5, 6, 7, 8, 9, 10}));
  BOOST_TEST(applied(spec, six.data(), 2, outside) == (Ints{-1, 6, 7, 8, -1, 10}));
  spec.items[0].valid = {ValidSpec::From::record, {.dtype = DType::int32, .offset = 4}};
  BOOST_TEST(applied(spec, six.data(), 2) == (Ints{5, -1, 7, 8, 9, -1}));
}

BOOST_AUTO_TEST_CASE(ends_of_short_rows) {
  auto spec = three_records();
  spec.items[0].raw.ragged = true;
  spec.items[0].valid.from = ValidSpec::From::length;
  const auto* data = reinterpret_cast<const std::byte*>(six.data());
  const Ragged rows[3] = {{2, data}, {0, nullptr}, {3, data}};
  BOOST_TEST(applied(spec, rows, 3) == (Ints{5, 6, -1, -1, -1, -1, 5, 6, 7}));
}

BOOST_AUTO_TEST_CASE(copies_of_a_repeated_value_and_records_of_joins) {
  auto spec = three_records();
  spec.items[0].repeated = true;
  spec.items[0].raw.records = 1;
  const std::byte outside[6] = {yes, no, no, no, no, no};
  BOOST_TEST(applied(spec, six.data(), 2, outside) == (Ints{5, -1, -1, -1, -1, -1}));

  spec = three_records();
  const FieldTransform joined(spec);
  Ints out(6, 77);
  joined.clear(2, reinterpret_cast<std::byte*>(out.data()));
  joined.apply_record(0, reinterpret_cast<const std::byte*>(&six[3]), 1, reinterpret_cast<std::byte*>(out.data()));
  BOOST_TEST(out == (Ints{-1, 8, -1, -1, -1, -1}));
  spec.items[0].valid = {ValidSpec::From::record, {.dtype = DType::int32, .offset = 4}};
  FieldTransform(spec).apply_record(0, reinterpret_cast<const std::byte*>(&six[1]), 1,
                                    reinterpret_cast<std::byte*>(out.data()));
  BOOST_TEST(out[1] == -1);
}

BOOST_AUTO_TEST_CASE(one_of_several_items_and_then_all_of_them) {
  auto spec = three_records();
  spec.columns = 2;
  spec.items[0].first_column = 1;
  const std::byte outside[3] = {yes, no, yes};
  BOOST_TEST(applied(spec, six.data(), 1, outside) == (Ints{77, 5, 77, -1, 77, 7}));
  Ints out{1, 2, 3, 4, 5, 6};
  FieldTransform(spec).clear_invalid(1, outside, reinterpret_cast<std::byte*>(out.data()));
  BOOST_TEST(out == (Ints{1, 2, -1, -1, 5, 6}));
}

BOOST_AUTO_TEST_CASE(labels_and_whole_one_hot_rows) {
  auto spec = three_records();
  spec.labels =
      std::make_shared<LabelMap>(std::vector<LabelMap::Class>{{"odd", {"5", "7", "9"}}, {"even", {"6", "8", "10"}}});
  const std::byte outside[3] = {yes, yes, no};
  BOOST_TEST(applied(spec, six.data(), 1, outside) == (Ints{0, 1, -1}));
  spec.one_hot = true, spec.columns = 2;
  BOOST_TEST(applied(spec, six.data(), 1, outside) == (Ints{1, 0, 0, 1, -1, -1}));
}

BOOST_AUTO_TEST_CASE(what_a_plugin_makes_of_nothing_is_ignored) {
  auto spec = three_records();
  spec.items[0].plugin =
      std::make_shared<Plugin>(EXAMPLE_PLUGIN, Plugin::Setup{.args = "power=1", .dataset = "d", .columns = {"n"}});
  const std::byte outside[3] = {yes, no, yes};
  BOOST_TEST(applied(spec, six.data(), 1, outside) == (Ints{5 + 12, -1, 7 + 12}));
}

BOOST_AUTO_TEST_CASE(it_has_to_fit_the_type) {
  using enum DType;
  const auto spec = three_records();
  for (const auto to : {int8, int64, float16, bfloat16, float32, float64}) BOOST_TEST(refusal(spec, -1, to) == "fits");
  for (const auto to : {float16, float64}) BOOST_TEST(refusal(spec, 0.1, to) == "fits");
  for (const auto to : {boolean, uint8}) BOOST_TEST(refusal(spec, 1, to) == "fits");
  for (const auto to : {boolean, uint8, uint64})
    BOOST_TEST(refusal(spec, -1, to) ==
               "fill: -1 does not fit " + std::string(name_of(to)) + "; give a value that it holds, or another dtype");
  BOOST_TEST(refusal(spec, 0.5, int32).starts_with("fill: 0.5 does not fit int32"));
  BOOST_TEST(refusal(spec, 0.5, boolean).starts_with("fill: 0.5 does not fit bool"));
  BOOST_TEST(refusal(spec, 1e5, float16).starts_with("fill: 100000 does not fit float16"));
}

BOOST_AUTO_TEST_SUITE_END()
