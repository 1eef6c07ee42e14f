// All fields together: what is said of datasets that are left out, and of fields that are wrong already.
#include "data/fields/resolve_all.hpp"

#include <boost/test/unit_test.hpp>

#include "data/fields/class_field.hpp"
#include "data/fields/field_fixture.hpp"
#include "data/selection/questions.hpp"
#include "texts.hpp"

BOOST_AUTO_TEST_SUITE(resolve_all)

namespace {

using namespace headrace;
using namespace headrace::data::fields;

h5::DatasetInfo dataset(const std::string& path, h5::TypeInfo type, std::vector<std::uint64_t> dims) {
  h5::DatasetInfo info;
  info.path = path;
  info.type = std::move(type);
  info.dims = std::move(dims);
  info.layout = h5::Layout::contiguous;
  return info;
}

/// x and n everywhere; the rows of t differ.
catalog::Contents two_files() {
  catalog::Contents contents(2);
  for (std::size_t f = 0; f < contents.size(); ++f) {
    contents[f].path = f == 0 ? "a.h5" : "b.h5";
    contents[f].datasets = {dataset("n", i32(), {9}), dataset("t", f32(), f == 0 ? Extents{9} : Extents{9, 2}),
                            dataset("x", f32(), {9})};
  }
  return contents;
}

std::string mistakes_of(const std::vector<FieldConfig>& fields, config::Mistakes mistakes = {}) {
  const auto contents = two_files();
  config::Config config;
  config.fields = fields;
  ResolvedFields resolved(config, contents, {.plugins = Plugins::look_at});
  resolved.resolve(mistakes);
  try {
    mistakes.throw_if_any();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

const std::string left_out = "dataset 't' is left out: its rows have another shape in 'b.h5'";

}  // namespace

BOOST_AUTO_TEST_CASE(why_a_dataset_that_is_named_is_left_out) {
  for (const auto* source : {"t", "t[a]", "t.a", "/t", "`t`"})
    BOOST_TEST(has(mistakes_of({{.name = "f", .source = {source}}}), left_out), source);
  BOOST_TEST(has(mistakes_of({{.name = "f", .source = {"x"}, .valid = "t"}}), left_out));
  BOOST_TEST(has(mistakes_of({{.name = "f", .source = {"x"}, .pad = 2, .join = "t"}}), left_out));
}

BOOST_AUTO_TEST_CASE(nothing_of_one_that_only_a_message_speaks_of) {
  const auto said = mistakes_of({{.name = "f", .source = {"x"}, .mask = "t"}});
  BOOST_TEST(has(said, "mask = 't' has nothing to tell"), said);
  BOOST_TEST(!has(said, "left out"), said);
  BOOST_TEST(!has(mistakes_of({{.name = "f", .source = {"tt"}}}), "left out"));
  BOOST_TEST(mistakes_of({{.name = "t", .source = {"x"}}}) == "");
}

BOOST_AUTO_TEST_CASE(a_type_that_does_not_tell_the_classes_apart_is_refused) {
  const auto said = [](std::size_t classes, DType dtype, config::Encode encode = {}) {
    try {
      resolve_class_field({.name = "c", .source = {"@class"}, .dtype = dtype, .encode = encode},
                          std::vector<config::ClassConfig>(classes));
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  BOOST_TEST(said(3, DType::boolean) ==
             "dtype: bool does not tell 3 classes apart; leave dtype out, or give a larger one");
  BOOST_TEST(has(said(300, DType::bfloat16), "bfloat16 does not tell 300 classes apart"));
  BOOST_TEST(has(said(2100, DType::float16), "float16 does not tell 2100 classes apart"));
  BOOST_TEST(has(said(129, DType::int8), "int8 does not tell 129 classes apart"));
  BOOST_TEST(said(2, DType::boolean) == "");
  BOOST_TEST(said(257, DType::bfloat16) == "");
  BOOST_TEST(said(2049, DType::float16) == "");
  BOOST_TEST(said(128, DType::int8) == "");
  BOOST_TEST(said(3, DType::boolean, config::Encode::one_hot) == "");
}

BOOST_AUTO_TEST_CASE(what_a_file_may_lack_is_what_fields_have_a_value_for) {
  auto contents = two_files();
  contents[1].datasets.erase(contents[1].datasets.begin());  // n
  config::Config config;
  config.fields = {{.name = "n", .missing = 0}, {.name = "x"}};
  for (auto& field : config.fields) field.source = {field.name};
  config.streams = {{.name = "train", .where = "x > 0"}};
  ResolvedFields fields(config, contents, {.plugins = Plugins::look_at});
  config::Mistakes mistakes;
  fields.resolve(mistakes);
  BOOST_TEST((fields.may_lack() == std::set<std::string>{"n"}));
  data::selection::check_streams(config, contents, fields.sample_paths(), fields.may_lack(), mistakes);
  mistakes.throw_if_any();
}

BOOST_AUTO_TEST_CASE(all_mistakes_of_all_fields) {
  const auto said =
      mistakes_of({{.name = "a", .source = {"y"}}, {.name = "b", .source = {"x"}}, {.name = "c", .source = {"t"}}});
  BOOST_TEST(has(said, "3 mistakes:"), said);
  BOOST_TEST(has(said, "[field.a] no dataset 'y'"), said);
  BOOST_TEST(has(said, "[field.c] no dataset 't'"), said);
}

BOOST_AUTO_TEST_CASE(of_a_field_with_mistakes_only_the_sources_are_looked_at) {
  config::Mistakes known;
  known.add("[field.a] pad = 0", {"field", "a", "pad"});
  const FieldConfig fine{.name = "a", .source = {"n"}, .mask = "m"};  // a mask that has nothing to tell
  BOOST_TEST(mistakes_of({fine}, known) == "[field.a] pad = 0");
  const auto said = mistakes_of({{.name = "a", .source = {"y"}}}, known);
  BOOST_TEST(has(said, "no dataset 'y'"), said);
}

BOOST_AUTO_TEST_CASE(what_is_right_is_resolved_beside_what_is_wrong) {
  const auto contents = two_files();
  config::Config config;
  config.fields = {{.name = "a", .source = {"y"}}, {.name = "b", .source = {"x", "n"}}};
  ResolvedFields fields(config, contents, {});
  config::Mistakes mistakes;
  fields.resolve(mistakes);
  BOOST_TEST(fields.size() == 2u);
  BOOST_TEST(!fields.field(0));
  BOOST_REQUIRE(fields.field(1));
  BOOST_TEST(fields.sample_paths() == (std::vector<std::string>{"x", "n"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(labels_without_classes_are_asked_for) {
  const auto contents = two_files();
  config::Config config;
  config.fields = {{.name = "l", .source = {"n"}, .encode = config::Encode::one_hot}, {.name = "x", .source = {"x"}}};
  ResolvedFields fields(config, contents, {});
  config::Mistakes mistakes;
  fields.resolve(mistakes);
  BOOST_TEST(mistakes.empty());
  BOOST_TEST(fields.labels_to_read(0).value() == "n");
  BOOST_TEST(!fields.labels_to_read(1));
  fields.use_labels(0, {"7", "5"});
  BOOST_TEST(!fields.labels_to_read(0));
  BOOST_TEST(fields.field(0)->field.classes == (std::vector<std::string>{"5", "7"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(where_none_is_named_the_datasets_of_one_length_are_fields) {
  auto contents = two_files();
  for (auto& file : contents) file.datasets[1] = dataset("t", f32(), {5});
  ResolvedFields fields({}, contents, {});
  config::Mistakes mistakes;
  fields.resolve(mistakes);
  BOOST_TEST(mistakes.empty());
  BOOST_TEST(fields.sample_paths() == (std::vector<std::string>{"n", "x"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
