// The value of elements that are not real: where it may be given, and who is warned that 0 stands there.
#include "data/fields/field_fixture.hpp"
#include "data/fields/warnings.hpp"
#include "transform/field_transform.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

BOOST_FIXTURE_TEST_SUITE(field_fill, FieldFixture)

BOOST_AUTO_TEST_CASE(it_reaches_the_values_and_must_have_something_to_fill) {
  FieldConfig config{.name = "x", .source = {"tracks[nhits, pt]"}};
  BOOST_TEST(resolve(config).spec.fill == 0);
  config.fill = -1;
  BOOST_TEST(resolve(config).spec.fill == -1);
  config.source = {"jets.pt"};
  BOOST_TEST(
      mistake(config).starts_with("[field.x] fill has nothing to fill (all elements are real); name the column"));
  config.valid = "jets.ok";
  BOOST_TEST(resolve(config).spec.fill == -1);
  config = {.name = "x", .source = {"table.x"}, .pad = 4, .join = "hid", .fill = -1};
  BOOST_TEST(resolve(config).spec.fill == -1);
}

BOOST_AUTO_TEST_CASE(padded_labels_and_integers_without_it_are_warned_of) {
  add("ids", vlen(i32()), {});
  const auto warning = [&](FieldConfig config, std::optional<double> fill = {}) {
    config.name = "x";
    config.fill = fill;
    const auto all = warnings_of(config, resolve(config));
    return all.empty() ? "none" : all.at(0);
  };
  const FieldConfig ragged{.source = {"ids"}, .pad = 9};
  BOOST_TEST(
      warning(ragged) ==
      "[field.x] elements that are not real are delivered as 0, as a value may be; give them a value of their own, "
      "as in fill = -1, or say fill = 0");
  BOOST_TEST(warning(ragged, 0) == "none");
  BOOST_TEST(warning(ragged, -1) == "none");
  BOOST_TEST(has(warning({.source = {"tracks.nhits"}}), "fill = 255"));
  BOOST_TEST(has(warning({.source = {"truth"}, .valid = "tracks.valid"}), "as a value may be"));
  BOOST_TEST(has(warning({.source = {"table.charge"}, .pad = 4, .join = "hid"}), "as a value may be"));
  BOOST_TEST(has(warning({.source = {"g/hits.x"}, .dtype = DType::int16, .pad = 4}), "as a value may be"));

  FieldConfig labels{.source = {"truth"}, .encode = Encode::index, .classes = {"b:5", "c:4"}, .valid = "tracks.valid"};
  BOOST_TEST(has(warning(labels), "0, class 'b'; give"));
  labels.dtype = DType::float32;
  BOOST_TEST(has(warning(labels), "0, class 'b'; give"));
  labels.encode = Encode::one_hot;
  BOOST_TEST(has(warning(labels), "rows of zeros, of no class; give"));
  BOOST_TEST(warning(labels, -1) == "none");
  labels = {.source = {"truth"}, .encode = Encode::index, .valid = "tracks.valid"};  // classes of the data
  BOOST_TEST(has(warning(labels), "0, the first class"));

  for (const auto* real : {"hid", "truth", "jets.flavour"}) BOOST_TEST(warning({.source = {real}}) == "none");
  for (const auto* floats : {"tracks.d0", "tracks[pt, nhits]"}) BOOST_TEST(warning({.source = {floats}}) == "none");
  BOOST_TEST(warning({.source = {"g/hits.x"}, .pad = 3}) == "none");
  BOOST_TEST(warning({.source = {"tracks.nhits"}, .scale = {2}}) == "none");
}

BOOST_AUTO_TEST_CASE(it_must_fit_the_type) {
  FieldConfig config{.name = "x", .source = {"tracks.nhits"}, .fill = -1};
  BOOST_CHECK_EXCEPTION(transform::FieldTransform{resolve(config).spec}, UsageError, [](const UsageError& error) {
    return std::string(error.what()).starts_with("fill: -1 does not fit uint8");
  });
  config.dtype = DType::int16;
  transform::FieldTransform{resolve(config).spec};
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
