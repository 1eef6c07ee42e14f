// What is done to each column: scales of every kind, NaN, labels, NetCDF decoding.
#include <cmath>

#include "data/fields/field_fixture.hpp"
#include "data/fields/files.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

namespace {

using Shape = std::vector<std::uint64_t>;
using Texts = std::vector<std::string>;
using Nan = transform::Nonfinite::Kind;

struct Operations : FieldFixture {
  FieldConfig config{.name = "x", .source = {"jets[pt, eta, ok]", "tracks[d0]"}};
  transform::ColumnSpec column(std::size_t i) const {
    const auto spec = resolve(config).spec;
    for (const auto& item : spec.items)
      if (i >= item.first_column && i < item.first_column + item.columns.size())
        return item.columns[i - item.first_column];
    throw std::out_of_range("column");
  }
  void scale_by(const std::string& text) {
    scales = ScaleFile::parse(text, "s.yaml");
    config.scale_file = "s.yaml";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(field_operations, Operations)

BOOST_AUTO_TEST_CASE(numbers_of_the_configuration) {
  config.scale = {1, 2, 3, 4};
  config.shift = {5};
  config.raw = {"jet_ok"};
  config.log = {"pt"};
  BOOST_TEST(column(1).scale == 2.0);
  BOOST_TEST(column(1).shift == 5.0);
  BOOST_TEST(column(1).scaled);
  BOOST_TEST(!column(2).scaled);
  BOOST_TEST(column(0).log);
  BOOST_TEST(!column(1).log);
  config.scale = {1, 2};
  BOOST_TEST(has(mistake(config), "scale has 2 numbers and the field 4 columns"));
  config.scale = {2};
  config.log = {"phi"};
  BOOST_TEST(mistake(config) ==
             "[field.x] log names column 'phi', which the field does not have; available: jet_pt, jet_eta, jet_ok, d0");
}

BOOST_AUTO_TEST_CASE(umami_scales_by_dataset_and_variable) {
  scale_by(
      "jets: {pt: {shift: 1, scale: 2, default: -1}, eta: {mean: 3, std: 4, default: 0}}\n"
      "tracks: [{name: d0, scale: 8, default: 7}]\n");
  config.raw = {"ok"};
  config.nonfinite = {NonfinitePolicy::Kind::error};
  BOOST_TEST(column(0).shift == 1.0);
  BOOST_TEST(column(0).scale == 2.0);
  BOOST_TEST(column(1).shift == 3.0);
  BOOST_TEST(column(1).scale == 4.0);
  BOOST_TEST(!column(2).scaled);
  BOOST_TEST(column(3).shift == 0.0);
  BOOST_TEST(column(3).scale == 8.0);
  config.nonfinite = {NonfinitePolicy::Kind::variable_default};
  BOOST_TEST(has(mistake(config), "nothing about variable 'ok' of dataset 'jets'"));
  config.source = {"jets[pt, eta]", "tracks[d0]"};
  config.raw = {};
  BOOST_TEST((column(0).nonfinite == transform::Nonfinite{Nan::replace, -1}));
  BOOST_TEST((column(2).nonfinite == transform::Nonfinite{Nan::replace, 7}));
}

BOOST_AUTO_TEST_CASE(norms_take_the_statistics_that_they_need) {
  config.source = {"jets[pt]"};
  scale_by("pt: {min: 10, max: 30, mean: 1, std: 2}\nx: {mean: 5, std: 6}\n");
  config.norm = Norm::minmax;
  BOOST_TEST(column(0).shift == 10.0);
  BOOST_TEST(column(0).scale == 20.0);
  config.norm = Norm::standard;
  BOOST_TEST(column(0).scale == 2.0);
  config.norm_over = NormOver::field;
  BOOST_TEST(column(0).shift == 5.0);
  config.norm = Norm::minmax;
  BOOST_TEST(has(mistake(config), "scale file 's.yaml': entry 'x' has no min, which norm = 'minmax' needs"));
  config.norm_over = NormOver::column;
  config.norm = Norm::tanh_log;
  BOOST_TEST(column(0).tanh_log);
  BOOST_TEST(!column(0).scaled);
}

BOOST_AUTO_TEST_CASE(scales_that_cannot_be) {
  config.source = {"jets.pt"};
  const auto wrong = [&](const std::string& entry, Norm norm = Norm::none) {
    scale_by("jets: {pt: " + entry + "}\n");
    config.norm = norm;
    return mistake(config);
  };
  BOOST_TEST(wrong("{scale: 0}") ==
             "[field.x] scale file 's.yaml': variable 'pt' of dataset 'jets' has scale 0 (values are divided by it); "
             "leave the variable alone with raw, or out");
  BOOST_TEST(has(wrong("{scale: .inf}"), "has scale that is not finite"));
  BOOST_TEST(has(wrong("{shift: .nan}"), "has a shift that is not finite"));
  BOOST_TEST(has(wrong("{mean: 1, std: 0}", Norm::standard), "has std 0"));
  BOOST_TEST(has(wrong("{std: 2}"), "has no mean, and shift and scale are not given either"));
  BOOST_TEST(has(wrong("{mean: 2, min: 1}"), "has no std, and shift and scale"));
  BOOST_TEST(has(wrong("{min: 1, max: 1}", Norm::minmax), "has max - min 0"));
  BOOST_TEST(has(wrong("{min: 1, max: 2}"), "has neither shift and scale nor mean and std"));
  BOOST_TEST(has(wrong("{mean: 1, std: 2}", Norm::minmax), "has no min, which norm = 'minmax' needs"));
  config.nonfinite = {NonfinitePolicy::Kind::variable_default};
  BOOST_TEST(has(wrong("{scale: 1}"), "has no default"));
}

BOOST_AUTO_TEST_CASE(plain_datasets_in_scale_files) {
  config.source = {"OneHot"};
  scale_by("OneHot: {mean: 1, std: 2}\n");
  BOOST_TEST(resolve(config).spec.records == 4u);
  BOOST_TEST(column(0).scale == 2.0);
  scale_by("OneHot: {'0': {scale: 1}, '1': {scale: 2}, '2': {scale: 3}, '3': {scale: 4}}\n");
  BOOST_TEST(resolve(config).spec.columns == 4u);
  BOOST_TEST(column(3).scale == 4.0);
  scale_by("x: {scale: 9}\n");
  BOOST_TEST(column(0).scale == 9.0);
}

BOOST_AUTO_TEST_CASE(nan_is_kept_where_nothing_is_computed) {
  config.source = {"jets.pt"};
  BOOST_TEST((column(0).nonfinite.kind == Nan::keep));
  config.dtype = DType::float16;
  BOOST_TEST((column(0).nonfinite.kind == Nan::error));
  config.dtype = DType::float32;
  BOOST_TEST((column(0).nonfinite.kind == Nan::keep));
  config.log = {"pt"};
  BOOST_TEST((column(0).nonfinite.kind == Nan::error));
  config.nonfinite = {NonfinitePolicy::Kind::value, 3};
  BOOST_TEST((column(0).nonfinite == transform::Nonfinite{Nan::replace, 3}));
  config.nonfinite = {NonfinitePolicy::Kind::keep};
  BOOST_TEST((column(0).nonfinite.kind == Nan::keep));
}

BOOST_AUTO_TEST_CASE(labels) {
  config.source = {"jets.flavour"};
  config.encode = Encode::one_hot;
  config.classes = {"b:5", "other:0|4"};
  const auto hot = resolve(config);
  BOOST_TEST(hot.field.shape == Shape{2});
  BOOST_TEST(hot.field.classes == (Texts{"b", "other"}));
  BOOST_TEST((hot.field.dtype == DType::float32));
  BOOST_TEST(hot.spec.columns == 2u);
  config.encode = Encode::index;
  BOOST_TEST(resolve(config).field.shape.empty());
  BOOST_TEST((resolve(config).field.dtype == DType::int64));
  config.source = {"truth"};
  BOOST_TEST(resolve(config).field.shape == Shape{40});
  config.encode = Encode::one_hot;
  BOOST_TEST(resolve(config).field.shape == (Shape{40, 2}));
  BOOST_TEST(resolve(config).spec.row_bytes() == resolve(config).field.row_bytes());
}

BOOST_AUTO_TEST_CASE(labels_of_the_data) {
  config.source = {"jets.flavour"};
  config.encode = Encode::index;
  BOOST_TEST(resolve(config).needs_label_values);
  label_values = Texts{"15", "5", "-1", "5"};
  BOOST_TEST(resolve(config).field.classes == (Texts{"-1", "5", "15"}));
  config.source = {"kind"};
  label_values = Texts{"pi", "10", "9"};
  BOOST_TEST(resolve(config).field.classes == (Texts{"10", "9", "pi"}));
  config.source = {"jets.ok"};
  BOOST_TEST(resolve(config).field.classes == (Texts{"FALSE", "TRUE"}));
  at("hid").classes = {"zero", "one"};
  config.source = {"hid"};
  BOOST_TEST(resolve(config).spec.labels->code(1).value() == 1u);
  label_values = Texts{};
  config.source = {"jets.flavour"};
  BOOST_TEST(has(mistake(config), "encode finds no labels"));
  config.source = {"jets.pt"};
  label_values = Texts{"1", "0"};
  BOOST_TEST(resolve(config).field.classes == (Texts{"0", "1"}));  // floats that are whole numbers
  config.source = {"jets[flavour, ok]"};
  BOOST_TEST(has(mistake(config), "encode takes one column, and the source has 2"));
}

BOOST_AUTO_TEST_CASE(bools_and_enumerations_go_by_their_names) {
  config.source = {"jets.ok"};
  config.encode = Encode::index;
  config.classes = {"good:true", "bad:FALSE"};
  BOOST_TEST(resolve(config).spec.labels->code(1).value() == 0u);
  BOOST_TEST(resolve(config).spec.labels->code(0).value() == 1u);
  config.classes = {"good:1", "bad:0"};
  BOOST_TEST(resolve(config).spec.labels->code(1).value() == 0u);
  auto kind = i32();
  kind.kind = h5::Kind::enumeration;
  kind.labels = {{"photon", 2}, {"electron", 7}, {"Muon", 9}};
  add("particle", kind, {});
  config.source = {"particle"};
  config.classes = {"light:photon|electron", "heavy:Muon", "none:0"};
  BOOST_TEST(resolve(config).spec.labels->code(7).value() == 0u);
  BOOST_TEST(resolve(config).spec.labels->code(9).value() == 1u);
  BOOST_TEST(resolve(config).spec.labels->code(0).value() == 2u);
  BOOST_TEST(resolve(config).field.classes == (Texts{"light", "heavy", "none"}));
}

BOOST_AUTO_TEST_CASE(classes_have_readable_names) {
  config.source = {"kind"};
  config.encode = Encode::index;
  using namespace std::string_literals;
  label_values = Texts{"ab", "ab\0cd"s, "ab  ", "caf\xe9"};
  const auto field = resolve(config);
  BOOST_TEST(field.field.classes == (Texts{"ab", "ab\\x00cd", "ab  ", "caf\\xe9"}));
  BOOST_TEST(field.spec.labels->code("ab\0cd"s).value() == 1u);
}

BOOST_AUTO_TEST_CASE(log_and_raw_take_numbers_and_elements) {
  config = FieldConfig{.name = "x", .source = {"OneHot"}, .log = {"1:3"}, .raw = {"0"}};
  config.scale = {2};
  const auto logs = [&] {
    std::string found;
    for (std::size_t i = 0; i < resolve(config).spec.columns; ++i)
      found += column(i).log ? 'l' : column(i).raw ? 'r' : '.';
    return found;
  };
  BOOST_TEST(logs() == "rll.");
  config.source = {"OneHot[3, 0:2]"};
  BOOST_TEST(logs() == ".rl");
  config.log = {"OneHot_3"};
  BOOST_TEST(logs() == "lr.");
  config.log = {"5"};
  BOOST_TEST(has(mistake(config), "log names column '5', which the field does not have"));
  config.source = {"cells"};
  config.log = {"cov.0:2"};
  config.raw = {"id"};
  BOOST_TEST(logs() == "ll..r");
  config.log = {"cov"};
  BOOST_TEST(logs() == "llllr");
  config.log = {"cov_1", "cov.1.1"};
  BOOST_TEST(logs() == ".l.lr");
}

BOOST_AUTO_TEST_CASE(cf_types_are_those_of_xarray) {
  config.source = {"packed"};
  auto& cf = at("packed").cf;
  const auto decoded = [&] { return column(0).cf; };
  cf.fill_values = {-1};
  BOOST_TEST(!decoded());  // nobody says that the file follows the conventions
  cf.netcdf = true;
  BOOST_TEST((decoded()->dtype == DType::float32));
  BOOST_TEST((resolve(config).field.dtype == DType::float32));
  BOOST_TEST((column(0).nonfinite.kind == Nan::keep));
  cf.scale_factor = {0.5, DType::float64};
  BOOST_TEST((decoded()->dtype == DType::float64));
  cf.scale_factor = {0.5, DType::float32};
  BOOST_TEST((decoded()->dtype == DType::float32));
  cf.add_offset = {1, DType::float64};
  BOOST_TEST((decoded()->dtype == DType::float64));
  cf.add_offset = {1, DType::float32};
  BOOST_TEST((decoded()->dtype == DType::float32));
  cf.is_unsigned = true;
  BOOST_TEST((decoded()->read_as.value() == DType::uint16));
  BOOST_TEST(decoded()->fill_values == std::vector<double>{65535});
  BOOST_TEST(decoded()->add_offset == 1.0);
  BOOST_TEST(decoded()->scaled);
  at("packed").type = i32();
  BOOST_TEST((decoded()->dtype == DType::float64));
  config.cf = CfMode::off;
  BOOST_TEST(!decoded());
}

BOOST_AUTO_TEST_CASE(fill_values_of_64_bits_read_otherwise) {
  config.source = {"packed"};
  at("packed").type = {.kind = h5::Kind::integer, .size = 8, .is_signed = true};
  auto& cf = at("packed").cf;
  cf.netcdf = true, cf.is_unsigned = true;
  cf.fill_values = {-1};
  cf.whole_fills = {headrace::Whole(INT64_MIN)};
  const auto decoded = column(0).cf.value();
  BOOST_TEST((decoded.read_as.value() == DType::uint64));
  BOOST_TEST(
      (decoded.whole_fills == std::vector{headrace::Whole(UINT64_MAX), headrace::Whole(std::uint64_t{1} << 63)}));
  BOOST_TEST(decoded.fill_values.empty());
}

BOOST_AUTO_TEST_CASE(files_are_packed_each_in_its_own_way) {
  config.source = {"packed"};
  auto& dataset = at("packed");
  CfAttributes one{.scale_factor = AttributeNumber{0.5, DType::float32}, .fill_values = {-1}, .netcdf = true};
  auto other = one;
  other.scale_factor->value = 2;
  other.fill_values = {7};
  dataset.cf = one;
  dataset.cf_of_file = {one, one, other};
  const auto in_file = [&](std::size_t file) {
    const auto resolved = resolve(config);
    return as_in_file(file, resolved).items[0].columns[0];
  };
  BOOST_TEST(in_file(1).cf->scale_factor == 0.5);
  BOOST_TEST(in_file(2).cf->scale_factor == 2.0);
  BOOST_TEST(in_file(2).cf->fill_values == std::vector<double>{7});
  BOOST_TEST((resolve(config).field.dtype == DType::float32));
  dataset.cf_of_file[2].scale_factor->dtype = DType::float64;
  BOOST_TEST((resolve(config).field.dtype == DType::float64));
  BOOST_TEST((in_file(0).cf->dtype == DType::float32));
  BOOST_TEST((in_file(0).nonfinite.kind == Nan::keep));  // missing values, though float32 becomes float64
  dataset.cf_of_file = {{}, {}, one};
  dataset.cf = {};
  BOOST_TEST((resolve(config).field.dtype == DType::float32));
  BOOST_TEST(!in_file(0).cf);
  BOOST_TEST((in_file(2).nonfinite.kind == Nan::keep));
  config.cf = CfMode::off;  // now nothing differs
  BOOST_TEST(files_told_apart(resolve(config)) == 0u);
}

BOOST_AUTO_TEST_CASE(cf_without_anything_to_decode) {
  config.source = {"packed"};
  auto& cf = at("packed").cf;
  cf.conventions = true;
  BOOST_TEST(!column(0).cf);
  cf.is_unsigned = true;
  BOOST_TEST(!column(0).cf);
  BOOST_TEST((resolve(config).field.dtype == DType::uint16));
  cf.fill_values = {std::nan("")};
  BOOST_TEST(!column(0).cf);
  at("packed").type = u8();
  cf.is_unsigned = false;
  cf.fill_values = {255};
  BOOST_TEST((column(0).cf->read_as.value() == DType::int8));
  BOOST_TEST(column(0).cf->fill_values == std::vector<double>{-1});
}

BOOST_AUTO_TEST_CASE(statistics_need_no_scale_file) {
  config.source = {"OneHot"};
  config.norm = Norm::standard;
  config.scale_file = "not yet";
  config.log = {"OneHot"};
  measuring = true;
  const auto spec = resolve(config).spec;
  BOOST_TEST(spec.columns == 4u);
  BOOST_TEST(!spec.items[0].columns[0].scaled);
  BOOST_TEST(spec.items[0].columns[3].log);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
