// Shapes, columns, types and places in memory that fields resolve to.
#include "data/fields/field_fixture.hpp"
#include "transform/field_transform.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

namespace {

using Shape = std::vector<std::uint64_t>;
using Texts = std::vector<std::string>;
using From = transform::ValidSpec::From;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(field_shapes, FieldFixture)

BOOST_AUTO_TEST_CASE(plain_datasets_are_as_they_are) {
  const auto ecal = resolve_of({"ECAL"});
  BOOST_TEST(ecal.field.shape == (Shape{25, 25, 25}));
  BOOST_TEST((ecal.field.dtype == DType::float32));
  BOOST_TEST(ecal.field.columns.empty());
  BOOST_TEST(ecal.spec.records == 15625u);
  BOOST_TEST(ecal.spec.columns == 1u);
  BOOST_TEST(ecal.spec.items[0].raw.record_bytes == 4u);
  BOOST_TEST((ecal.spec.items[0].columns[0].nonfinite.kind == transform::Nonfinite::Kind::keep));
  BOOST_TEST((ecal.needs == std::vector<DatasetNeed>{{DatasetNeed::For::values, "ECAL"}}));
  BOOST_TEST(resolve_of({"weight"}).field.shape.empty());
  BOOST_TEST((resolve_of({"weight"}).field.dtype == DType::float64));
}

BOOST_AUTO_TEST_CASE(what_is_resolved_can_be_done) {
  BOOST_TEST(transform::FieldTransform(resolve_of({"ECAL"}).spec).identity());
  BOOST_TEST(transform::FieldTransform(resolve_of({"weight"}).spec).identity());
  for (const auto& source : std::vector<Texts>{
           {"jets[pt, eta]", "tracks[pt, d0]", "truth", "weight"}, {"tracks"}, {"cells"}, {"OneHot", "jets.pt"}}) {
    const auto x = resolve_of(source);
    BOOST_TEST(transform::FieldTransform(x.spec).row_bytes() == x.field.row_bytes());
    BOOST_TEST(!transform::FieldTransform(x.spec).identity());
  }
  FieldConfig labels{.name = "x", .source = {"kind"}, .encode = Encode::one_hot, .classes = {"a", "b"}};
  BOOST_TEST(transform::FieldTransform(resolve(labels).spec).row_bytes() == 8u);
}

BOOST_AUTO_TEST_CASE(columns_of_plain_datasets_are_told_apart_where_they_differ) {
  FieldConfig config{.name = "x", .source = {"OneHot"}};
  config.scale = {1, 2, 3, 4};
  const auto field = resolve(config);
  BOOST_TEST(field.spec.records == 1u);
  BOOST_TEST(field.spec.columns == 4u);
  BOOST_TEST(field.field.shape == Shape{4});
  BOOST_TEST(field.spec.items[0].columns[2].cell.offset == 8u);
  BOOST_TEST(field.spec.items[0].columns[2].scale == 3.0);
  BOOST_TEST(field.spec.row_bytes() == field.field.row_bytes());
}

BOOST_AUTO_TEST_CASE(columns_of_compounds) {
  const auto one = resolve_of({"jets.eta"});
  BOOST_TEST(one.field.shape.empty());
  BOOST_TEST(one.field.columns.empty());
  BOOST_TEST(one.spec.items[0].columns[0].cell.offset == 4u);
  BOOST_TEST(one.spec.items[0].raw.record_bytes == 21u);
  const auto bracketed = resolve_of({"jets[eta]"});
  BOOST_TEST(bracketed.field.shape == Shape{1});
  BOOST_TEST(bracketed.field.columns == Texts{"eta"});
  const auto several = resolve_of({"tracks[d0, nhits]"});
  BOOST_TEST(several.field.shape == (Shape{40, 2}));
  BOOST_TEST(several.field.columns == (Texts{"d0", "nhits"}));
  BOOST_TEST((several.field.dtype == DType::float32));
  BOOST_TEST(resolve_of({"tracks.d0"}).field.shape == Shape{40});
}

BOOST_AUTO_TEST_CASE(compounds_as_a_whole_leave_validity_and_texts_out) {
  BOOST_TEST(resolve_of({"tracks"}).field.columns == (Texts{"d0", "nhits", "pt"}));
  BOOST_TEST(resolve_of({"jets"}).field.columns == (Texts{"pt", "eta", "flavour", "ok"}));
}

BOOST_AUTO_TEST_CASE(array_members_are_several_columns) {
  BOOST_TEST(resolve_of({"cells[id, cov]"}).field.columns == (Texts{"id", "cov_0", "cov_1", "cov_2", "cov_3"}));
  const auto one = resolve_of({"cells.cov"});
  BOOST_TEST(one.field.shape == Shape{4});
  BOOST_TEST(one.spec.items[0].columns[3].cell.offset == 12u);
}

BOOST_AUTO_TEST_CASE(jets_are_repeated_along_tracks) {
  const auto x = resolve_of({"jets[pt, eta]", "tracks[pt, d0]", "truth", "weight"});
  BOOST_TEST(x.field.shape == (Shape{40, 6}));
  BOOST_TEST(x.field.columns == (Texts{"jet_pt", "jet_eta", "pt", "d0", "truth", "weight"}));
  BOOST_TEST((x.field.dtype == DType::float64));
  const auto& items = x.spec.items;
  BOOST_TEST(items[0].repeated);
  BOOST_TEST(!items[1].repeated);
  BOOST_TEST(!items[2].repeated);  // its whole row has the tracks' axis
  BOOST_TEST(items[2].raw.records == 40u);
  BOOST_TEST(items[3].repeated);
  BOOST_TEST(items[3].first_column == 5u);
  BOOST_TEST((items[0].valid.from == From::nowhere));
  BOOST_TEST((items[1].valid.from == From::record));
  BOOST_TEST(items[1].valid.cell.offset == 5u);
  BOOST_TEST((items[2].valid.from == From::outside));
  BOOST_TEST((x.validity.from == ValiditySource::From::items));
  BOOST_TEST(x.validity.items == std::vector<std::size_t>{1});
}

BOOST_AUTO_TEST_CASE(items_stand_side_by_side) {
  BOOST_TEST(resolve_of({"weight", "hid"}).field.shape == Shape{2});
  BOOST_TEST(resolve_of({"weight", "hid"}).field.columns == (Texts{"weight", "hid"}));
  BOOST_TEST(resolve_of({"OneHot", "jets.pt"}).field.columns ==
             (Texts{"OneHot_0", "OneHot_1", "OneHot_2", "OneHot_3", "pt"}));
  BOOST_TEST(resolve_of({"jets.pt", "table.x", "cells.id"}).field.columns == (Texts{"pt", "x", "id"}));
  add("muons", compound({{"pt", f32()}}), {});
  BOOST_TEST(resolve_of({"jets.pt", "muons.pt"}).field.columns == (Texts{"jet_pt", "muon_pt"}));
}

BOOST_AUTO_TEST_CASE(ragged_rows) {
  FieldConfig config{.name = "x", .source = {"ragged"}, .mask = "m", .pad = 10, .overlong = Overlong::truncate};
  const auto x = resolve(config);
  BOOST_TEST(x.field.shape == (Shape{10, 2}));
  BOOST_TEST(x.spec.items[0].raw.ragged);
  BOOST_TEST(x.spec.truncate);
  BOOST_TEST((x.spec.items[0].valid.from == From::length));
  BOOST_TEST(x.mask.value().shape == Shape{10});
  BOOST_TEST((x.mask.value().dtype == DType::boolean));
  config.source = {"g/hits.x"};
  BOOST_TEST(resolve(config).field.shape == Shape{10});
  config.source = {"jets.pt", "ragged.e"};
  BOOST_TEST(resolve(config).field.columns == (Texts{"jet_pt", "e"}));
}

BOOST_AUTO_TEST_CASE(joined_tables) {
  FieldConfig config{.name = "x", .source = {"table[x, charge]", "weight"}, .mask = "m", .pad = 100, .join = "hid"};
  const auto x = resolve(config);
  BOOST_TEST(x.field.shape == (Shape{100, 3}));
  BOOST_TEST((x.validity.from == ValiditySource::From::join));
  BOOST_TEST((x.spec.items[0].valid.from == From::outside));
  BOOST_TEST(x.spec.items[0].raw.records == 1u);
  BOOST_TEST(!x.spec.items[0].repeated);
  BOOST_TEST((x.needs.back() == DatasetNeed{DatasetNeed::For::join_ids, "hid"}));
}

BOOST_AUTO_TEST_CASE(validity_by_name) {
  FieldConfig config{.name = "x", .source = {"truth", "jets.pt"}, .valid = "tracks.valid", .mask = "m"};
  const auto outside = resolve(config);
  BOOST_TEST((outside.validity.from == ValiditySource::From::dataset));
  BOOST_TEST(outside.validity.dataset == "tracks");
  BOOST_TEST(outside.validity.cell.offset == 5u);
  BOOST_TEST(outside.validity.raw.records == 40u);
  BOOST_TEST((outside.spec.items[0].valid.from == From::outside));
  BOOST_TEST((outside.needs.back() == DatasetNeed{DatasetNeed::For::validity, "tracks"}));
  config.source = {"jets.pt"};
  config.valid = "jets.ok";
  const auto own = resolve(config);
  BOOST_TEST((own.spec.items[0].valid.from == From::record));
  BOOST_TEST(own.spec.items[0].valid.cell.offset == 20u);
  BOOST_TEST(own.mask.value().shape.empty());
  BOOST_TEST(own.needs.size() == 1u);
}

BOOST_AUTO_TEST_CASE(absent_columns) {
  FieldConfig config{.name = "x", .source = {"jets[pt, mc, eta]", "weights"}, .missing = 1.0};
  const auto x = resolve(config);
  BOOST_TEST(x.field.columns == (Texts{"pt", "mc", "eta", "weights"}));
  BOOST_TEST_REQUIRE(x.spec.items.size() == 4u);
  BOOST_TEST(!x.spec.items[0].constant.has_value());
  BOOST_TEST(x.spec.items[1].constant.value() == 1.0);
  BOOST_TEST(x.spec.items[2].first_column == 2u);
  BOOST_TEST(x.needs.size() == 1u);
  config.source = {"nothing.weight"};
  BOOST_TEST((resolve(config).field.dtype == DType::float32));
  BOOST_TEST(resolve(config).field.shape.empty());
}

BOOST_AUTO_TEST_CASE(other_shapes) {
  FieldConfig config{.name = "x", .source = {"ECAL"}, .shape = {{25, 25, 25, 1}}};
  BOOST_TEST(resolve(config).field.shape == (Shape{25, 25, 25, 1}));
  config.source = {"jets[pt, eta]"};
  config.shape = {{1, 2}};
  BOOST_TEST(resolve(config).field.columns == (Texts{"pt", "eta"}));
  config.shape = {{2, 1}};
  BOOST_TEST(resolve(config).field.columns.empty());
  config.shape = {{3}};
  BOOST_TEST(mistake(config) == "[field.x] shape (3) does not fit (a row is (2), 2 elements)");
}

BOOST_AUTO_TEST_CASE(arrays_are_more_axes_of_a_row) {
  add("img", array(f32(), {3, 4}), {});
  BOOST_TEST(resolve_of({"img"}).field.shape == (Shape{3, 4}));
  BOOST_TEST(transform::FieldTransform(resolve_of({"img"}).spec).identity());
  add("stack", array(array(i16(), {2}), {3}), {5});
  BOOST_TEST(resolve_of({"stack"}).field.shape == (Shape{5, 3, 2}));
  add("hits", array(compound({{"e", f32()}, {"t", f64()}}), {7}), {});
  BOOST_TEST(resolve_of({"hits.t"}).field.shape == Shape{7});
  BOOST_TEST(resolve_of({"hits"}).field.shape == (Shape{7, 2}));
  BOOST_TEST(resolve_of({"hits"}).spec.items[0].raw.record_bytes == 12u);
}

BOOST_AUTO_TEST_CASE(complex_numbers_are_an_axis_of_two) {
  add("z", complex(f64()), {5});
  BOOST_TEST(resolve_of({"z"}).field.shape == (Shape{5, 2}));
  BOOST_TEST((resolve_of({"z"}).field.dtype == DType::float64));
  BOOST_TEST(transform::FieldTransform(resolve_of({"z"}).spec).identity());
  BOOST_TEST(resolve_of({"z.imag"}).field.shape == Shape{5});
  BOOST_TEST(resolve_of({"z.imag"}).spec.items[0].columns[0].cell.offset == 8u);
  BOOST_TEST(resolve_of({"z.3.real"}).field.shape.empty());
  BOOST_TEST(resolve_of({"z.3.real"}).spec.items[0].columns[0].cell.offset == 48u);
  add("waves",
      compound({{"a", f32()}, {"z", array(complex(f32()), {2})}, {"p", compound({{"x", i16()}, {"y", i16()}})}}), {});
  BOOST_TEST(resolve_of({"waves"}).field.columns ==
             (Texts{"a", "z_0.real", "z_0.imag", "z_1.real", "z_1.imag", "p.x", "p.y"}));
  BOOST_TEST(resolve_of({"waves[z.1, p.y]"}).field.columns == (Texts{"z_1.real", "z_1.imag", "p.y"}));
  BOOST_TEST(resolve_of({"waves.z.1.imag"}).spec.items[0].columns[0].cell.offset == 16u);
}

BOOST_AUTO_TEST_CASE(texts_and_opaque_values_are_rows_of_bytes) {
  const auto name = resolve_of({"jets.name"});
  BOOST_TEST(name.field.shape == Shape{8});
  BOOST_TEST((name.field.dtype == DType::uint8));
  add("word", text(5), {3});
  BOOST_TEST(resolve_of({"word"}).field.shape == (Shape{3, 5}));
  BOOST_TEST(transform::FieldTransform(resolve_of({"word"}).spec).identity());
  add("blob", {.kind = h5::Kind::opaque, .size = 6}, {});
  BOOST_TEST(resolve_of({"blob"}).field.shape == Shape{6});
  FieldConfig config{.name = "x", .source = {"word"}, .encode = Encode::index, .classes = {"a"}};
  BOOST_TEST(resolve(config).field.shape == Shape{3});  // labels
  config.source = {"blob"};
  BOOST_TEST(
      has(mistake(config), "dataset 'blob' is opaque (6 bytes), which cannot be a field; only its bytes can"));
}

BOOST_AUTO_TEST_CASE(columns_go_by_number) {
  const auto one = resolve_of({"OneHot.2"});
  BOOST_TEST(one.field.shape.empty());
  BOOST_TEST(one.spec.items[0].columns[0].cell.offset == 8u);
  BOOST_TEST(one.spec.items[0].columns[0].name == "2");
  BOOST_TEST(one.spec.items[0].raw.record_bytes == 16u);
  const auto several = resolve_of({"OneHot[0, 2:4]"});
  BOOST_TEST(several.field.columns == (Texts{"OneHot_0", "OneHot_2", "OneHot_3"}));
  BOOST_TEST(several.spec.items[0].columns[2].cell.offset == 12u);
  BOOST_TEST(resolve_of({"OneHot[-1]"}).field.columns == Texts{"OneHot_3"});
  BOOST_TEST(resolve_of({"OneHot[:2]"}).field.columns == (Texts{"OneHot_0", "OneHot_1"}));
  BOOST_TEST(resolve_of({"OneHot[-2:]"}).field.columns == (Texts{"OneHot_2", "OneHot_3"}));
  BOOST_TEST(resolve_of({"OneHot[0]", "jets.pt"}).field.columns == (Texts{"OneHot_0", "pt"}));
  BOOST_TEST(resolve_of({"ECAL.3"}).field.shape == (Shape{25, 25}));
  BOOST_TEST(resolve_of({"ECAL.1.3"}).field.shape == Shape{25});
  BOOST_TEST(resolve_of({"ECAL.2.1.3"}).spec.items[0].columns[0].cell.offset == 4u * (2 * 625 + 25 + 3));
  BOOST_TEST(has(mistake_of({"OneHot.4"}), "dataset 'OneHot' has no column '4' (numbers go from 0 to 3)"));
  BOOST_TEST(has(mistake_of({"OneHot[2:9]"}), "dataset 'OneHot' has no column '2:9' (numbers go from 0 to 3)"));
  BOOST_TEST(has(mistake_of({"OneHot[2:2]"}), "the list is empty; numbers go from 0 to 3"));
  BOOST_TEST(has(mistake_of({"OneHot.1.2"}), "has no column '1.2' (its rows are (4))"));
  BOOST_TEST(has(mistake_of({"OneHot[1, 0:2]"}), "column 'OneHot_1' comes twice"));
}

BOOST_AUTO_TEST_CASE(members_and_their_elements_go_by_number) {
  BOOST_TEST(resolve_of({"cells.cov.3"}).spec.items[0].columns[0].cell.offset == 12u);
  BOOST_TEST(resolve_of({"cells.cov.1.0"}).spec.items[0].columns[0].cell.offset == 8u);
  BOOST_TEST(resolve_of({"cells[id, cov.1:3]"}).field.columns == (Texts{"id", "cov_1", "cov_2"}));
  BOOST_TEST(resolve_of({"cells[cov.0:2.1]"}).field.columns == (Texts{"cov_1", "cov_3"}));
  BOOST_TEST(resolve_of({"cells.1"}).spec.items[0].columns[0].cell.offset == 16u);  // the second member
  BOOST_TEST(resolve_of({"jets[0:3]"}).field.columns == (Texts{"pt", "eta", "flavour"}));
  add("named", compound({{"a", f32()}, {"0", f32()}, {"a.b", f64()}}), {});
  BOOST_TEST(resolve_of({"named.0"}).spec.items[0].columns[0].cell.offset == 4u);  // its name goes first
  BOOST_TEST(resolve_of({"named.a.b"}).spec.items[0].columns[0].cell.offset == 8u);
  BOOST_TEST(
      has(mistake_of({"cells.cov.4"}), "dataset 'cells' has no column 'cov.4' of 'cov' (numbers go from 0 to 3)"));
  BOOST_TEST(has(mistake_of({"cells.2"}), "dataset 'cells' has no column '2' (numbers go from 0 to 1)"));
  BOOST_TEST(has(mistake_of({"cells.cov.x"}), "'cov' is float32[2, 2]; its elements go by number, as in 'cov.0'"));
  BOOST_TEST(has(mistake_of({"cells.id.x"}), "has no column 'id.x' ('id' is int64)"));
}

BOOST_AUTO_TEST_CASE(odd_numbers_are_refused_with_a_way_out) {
  auto twelve = i16();
  twelve.standard = false;
  twelve.oddity = "12 of its 16 bits";
  add("adc", twelve, {8});
  BOOST_TEST(has(mistake_of({"adc"}),
                      "dataset 'adc' is int16 (12 of its 16 bits), which cannot be a field; no "
                      "processor computes with such numbers: write them once more in a type that one "
                      "does, with h5py: file[\"new\"] = file[\"old\"].astype(\"int16\")[...]"));
  add("counts", number_type(h5::Kind::integer, 3, false), {});
  BOOST_TEST(has(mistake_of({"counts"}), "dataset 'counts' is uint24, which cannot be a field"));
  BOOST_TEST(has(mistake_of({"counts"}), "astype(\"uint32\")"));
  auto wide = number_type(h5::Kind::floating, 16);
  wide.standard = false;
  wide.oddity = "15 bits of exponent, 64 of mantissa";
  add("t", compound({{"x", wide}, {"at", {.kind = h5::Kind::reference, .size = 8}}}), {});
  BOOST_TEST(has(mistake_of({"t.x"}), "astype(\"float64\")"));
  BOOST_TEST(
      has(mistake_of({"t.at"}), "reference (8 bytes), which cannot be a field; references lead to other objects"));
}

BOOST_AUTO_TEST_CASE(mistakes_about_sources) {
  BOOST_TEST(
      mistake_of({"jet.pt"}) ==
      "[field.x] no dataset 'jet.pt'; did you mean 'jets'? (available: ECAL, OneHot, cells, g/hits.x, hid, jets, "
      "kind, packed, ragged, table, tracks, truth, weight)");
  BOOST_TEST(has(mistake_of({"jets.ptt"}), "dataset 'jets' has no column 'ptt'; did you mean 'pt'?"));
  BOOST_TEST(has(mistake_of({"ECAL[a]"}),
                      "dataset 'ECAL' has no column 'a' (it is float32, no compound; its columns "
                      "go by number, 0 to 24)"));
  BOOST_TEST(has(mistake_of({"weight.0"}), "dataset 'weight' has no columns (it is float64, one value a row)"));
  BOOST_TEST(has(mistake_of({"kind"}),
                      "dataset 'kind' is string (variable), which cannot be a field; texts of "
                      "variable length are labels: set encode"));
  BOOST_TEST(has(mistake_of({"ragged"}), "has rows of variable length; give pad = N"));
  BOOST_TEST(has(mistake_of({"tracks.d0", "ECAL"}),
                      "datasets 'tracks' and 'ECAL' do not fit side by side ((40) records a sample beside (25, 25))"));
  BOOST_TEST(has(mistake_of({"weight", "weight"}), "column 'weight' comes twice"));
  BOOST_TEST(has(mistake(FieldConfig{.name = "x", .source = {"jets.pt"}, .pad = 3}), "pad has no effect"));
  BOOST_TEST(has(mistake(FieldConfig{.name = "x", .source = {"jets.pt"}, .mask = "m"}), "has nothing to tell"));
  BOOST_TEST(has(mistake(FieldConfig{.name = "x", .source = {"tracks"}, .pad = 3, .join = "hid"}),
                      "dataset 'tracks' cannot be joined"));
  BOOST_TEST(has(mistake(FieldConfig{.name = "x", .source = {"table"}, .pad = 3, .join = "weight"}),
                      "join = 'weight' is float64; name a dataset of whole numbers"));
  BOOST_TEST(has(mistake(FieldConfig{.name = "x", .source = {"jets.pt"}, .valid = "tracks.valid"}),
                      "valid = 'tracks.valid' is for (40) records a sample, and the field has ()"));
  BOOST_TEST(has(mistake(FieldConfig{.name = "x", .source = {"tracks.d0"}, .valid = "tracks.pt"}),
                      "valid = 'tracks.pt' is float64; validity is bool"));
  BOOST_TEST(
      has(mistake(FieldConfig{.name = "x", .source = {"tracks.d0"}, .valid = "tracks"}), "is not one column"));
  add("deep", vlen(f32()), {3});
  add("texts", compound({{"a", text(3)}}), {});
  add("vast", f32(), {std::uint64_t{1} << 40, std::uint64_t{1} << 40});
  BOOST_TEST(has(mistake_of({"deep"}), "has rows of (3) variable-length elements"));
  BOOST_TEST(has(mistake_of({"texts"}), "dataset 'texts' has no numeric columns"));
  BOOST_TEST(has(mistake_of({"vast"}), "is too large"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
