#include "transform/plugin.hpp"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <thread>

#include "base/error.hpp"
#include "transform/field_transform.hpp"
#include "texts.hpp"

using namespace headrace;
using namespace headrace::transform;

BOOST_AUTO_TEST_SUITE(plugins)

namespace {

std::shared_ptr<Plugin> example(const std::string& args = "") {
  return std::make_shared<Plugin>(EXAMPLE_PLUGIN, Plugin::Setup{.args = args, .dataset = "d", .columns = {"a", "b"}});
}

/// Two columns of `type`, three records a row; the second column is scaled.
FieldSpec field(DType type, DType to, std::shared_ptr<Plugin> plugin) {
  FieldSpec spec;
  spec.records = 3;
  spec.columns = 2;
  spec.dtype = to;
  ItemSpec item;
  const auto size = size_of(type);
  for (std::uint64_t c = 0; c < 2; ++c)
    item.columns.push_back({.name = c ? "b" : "a", .cell = {.dtype = type, .offset = c * size, .bytes = size}});
  for (auto& column : item.columns) column.nonfinite.kind = Nonfinite::Kind::error;
  item.columns[1].scaled = true;
  item.columns[1].scale = 2;
  item.raw = {.records = 3, .record_bytes = 2 * size};
  item.valid.from = ValidSpec::From::outside;
  item.plugin = std::move(plugin);
  spec.items.push_back(item);
  return spec;
}

const std::byte* bytes(const void* values) {
  return static_cast<const std::byte*>(values);
}

template <class Act>
std::string message(Act&& act) {
  try {
    act();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_pass_through_it_between_log_and_scale) {
  const float raw[12] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60};
  const std::byte valid[6] = {std::byte{1}, std::byte{1}, std::byte{0}, std::byte{1}, std::byte{1}, std::byte{1}};
  float out[12];
  const FieldTransform transform(field(DType::float32, DType::float32, example()));
  transform.apply(0, bytes(raw), 2, valid, reinterpret_cast<std::byte*>(out));
  const float expected[12] = {1,  (10 + 3) / 2.f,  4,  (20 + 3) / 2.f,  0,  0,
                              16, (40 + 15) / 2.f, 25, (50 + 15) / 2.f, 36, (60 + 15) / 2.f};
  BOOST_TEST(out == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(integers_of_64_bits_come_as_doubles) {
  std::int64_t raw[6] = {3, 1, 2, 1, (1ll << 30) + 1, 1};
  double out[6];
  const FieldTransform transform(field(DType::int64, DType::float64, example("power=1")));
  transform.apply(0, bytes(raw), 1, nullptr, reinterpret_cast<std::byte*>(out));
  BOOST_TEST(out[4] == static_cast<double>(raw[4]));
  BOOST_TEST(out[1] == (1 + 5 + static_cast<double>(raw[4])) / 2);
}

BOOST_AUTO_TEST_CASE(many_rows_and_many_threads) {
  constexpr std::uint64_t rows = 50000;
  std::vector<float> raw(rows * 6);
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<float>(i % 11);
  const FieldTransform transform(field(DType::float32, DType::float32, example()));
  std::vector<std::vector<float>> outs(3, std::vector<float>(raw.size()));
  std::vector<std::thread> threads;
  for (auto& out : outs)
    threads.emplace_back(
        [&] { transform.apply(0, bytes(raw.data()), rows, nullptr, reinterpret_cast<std::byte*>(out.data())); });
  for (auto& thread : threads) thread.join();
  for (const auto& out : outs)
    for (std::uint64_t row = 0; row < rows; ++row) {
      const float *in = &raw[row * 6], sum = in[0] + in[2] + in[4];
      for (int r = 0; r < 3; ++r) {
        BOOST_REQUIRE(out[row * 6 + static_cast<std::size_t>(r) * 2] == in[2 * r] * in[2 * r]);
        BOOST_REQUIRE(out[row * 6 + static_cast<std::size_t>(r) * 2 + 1] == (in[2 * r + 1] + sum) / 2);
      }
    }
}

BOOST_AUTO_TEST_CASE(refusals_name_plugin_and_row) {
  constexpr std::uint64_t rows = 20000, wrong = 17321;
  std::vector<float> raw(rows * 6, 1);
  raw[wrong * 6 + 2] = -1;
  std::vector<float> out(raw.size());
  const FieldTransform transform(field(DType::float32, DType::float32, example()));
  BOOST_CHECK_EXCEPTION(transform.apply(0, bytes(raw.data()), rows, nullptr, reinterpret_cast<std::byte*>(out.data())),
                        BadValue, [](const BadValue& bad) {
                          return bad.row == wrong && has(bad.what(), "example_plugin") &&
                                 has(bad.what(), "a negative value");
                        });
}

BOOST_AUTO_TEST_CASE(what_it_makes_infinite_is_found) {
  float raw[6] = {1, 1, 1e30f, 1, 1, 1}, out[6];
  const FieldTransform transform(field(DType::float32, DType::float32, example()));
  BOOST_CHECK_EXCEPTION(transform.apply(0, bytes(raw), 1, nullptr, reinterpret_cast<std::byte*>(out)), BadValue,
                        [](const BadValue& bad) { return bad.row == 0 && bad.record == 1 && bad.column == "a"; });
}

BOOST_AUTO_TEST_CASE(single_records_and_statistics_pass_through_it) {
  const float raw[6] = {2, 1, 3, 1, 4, 1};
  float out[6] = {};
  const FieldTransform transform(field(DType::float32, DType::float32, example()));
  transform.apply_record(0, bytes(raw), 2, reinterpret_cast<std::byte*>(out));
  const float expected[6] = {0, 0, 0, 0, 4, 1.5};
  BOOST_TEST(out == expected, boost::test_tools::per_element());
  ItemStatistics statistics;
  transform.measure(0, bytes(raw), 1, nullptr, statistics);
  BOOST_TEST(statistics.columns[0].count == 3u);
  BOOST_TEST(statistics.columns[0].greatest == 16);
  BOOST_TEST(statistics.columns[1].least == 10);  // before it is scaled
}

BOOST_AUTO_TEST_CASE(what_cannot_be_loaded_is_told) {
  BOOST_TEST(has(message([] { Plugin("/nowhere/lib.so", {}); }), "/nowhere/lib.so"));
  BOOST_TEST(has(message([] { Plugin(EMPTY_PLUGIN, {}); }), "hr_plugin_abi"));
  BOOST_TEST(has(message([] { example("volume=11"); }), "unknown argument 'volume=11' for column 'a'"));
}

BOOST_AUTO_TEST_SUITE_END()
