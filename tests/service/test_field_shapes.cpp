// Shapes, columns, types and places in memory that fields resolve to.
#include "service/field_fixture.hpp"
#include "transform/field_transform.hpp"

namespace headrace::service {

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

BOOST_AUTO_TEST_CASE(mistakes_about_sources) {
  BOOST_TEST(mistake_of({"jet.pt"}) ==
             "[field.x] no dataset 'jet.pt'; did you mean 'jets'? (available: jets, tracks, ECAL, weight, OneHot, "
             "truth, g/hits.x, ragged, "
             "table, hid, kind, cells, packed)");
  BOOST_TEST(contains(mistake_of({"jets.ptt"}), "dataset 'jets' has no column 'ptt'; did you mean 'pt'?"));
  BOOST_TEST(contains(mistake_of({"ECAL[a]"}), "dataset 'ECAL' has no columns (it is float32, no compound)"));
  BOOST_TEST(
      contains(mistake_of({"jets.name"}), "column 'name' of dataset 'jets' is string (8 bytes), which cannot be"));
  BOOST_TEST(contains(mistake_of({"kind"}), "dataset 'kind' is string (variable), which cannot be a field"));
  BOOST_TEST(contains(mistake_of({"ragged"}), "has rows of variable length; give pad = N"));
  BOOST_TEST(contains(mistake_of({"tracks.d0", "ECAL"}),
                      "datasets 'tracks' and 'ECAL' do not fit side by side ((40) records a sample beside (25, 25))"));
  BOOST_TEST(contains(mistake_of({"weight", "weight"}), "column 'weight' comes twice"));
  BOOST_TEST(contains(mistake(FieldConfig{.name = "x", .source = {"jets.pt"}, .pad = 3}), "pad has no effect"));
  BOOST_TEST(contains(mistake(FieldConfig{.name = "x", .source = {"jets.pt"}, .mask = "m"}), "has nothing to tell"));
  BOOST_TEST(contains(mistake(FieldConfig{.name = "x", .source = {"tracks"}, .pad = 3, .join = "hid"}),
                      "dataset 'tracks' cannot be joined"));
  BOOST_TEST(contains(mistake(FieldConfig{.name = "x", .source = {"table"}, .pad = 3, .join = "weight"}),
                      "join = 'weight' is float64; name a dataset of whole numbers"));
  BOOST_TEST(contains(mistake(FieldConfig{.name = "x", .source = {"jets.pt"}, .valid = "tracks.valid"}),
                      "valid = 'tracks.valid' is for (40) records a sample, and the field has ()"));
  BOOST_TEST(contains(mistake(FieldConfig{.name = "x", .source = {"tracks.d0"}, .valid = "tracks.pt"}),
                      "valid = 'tracks.pt' is float64; validity is bool"));
  BOOST_TEST(
      contains(mistake(FieldConfig{.name = "x", .source = {"tracks.d0"}, .valid = "tracks"}), "is not one column"));
  add("deep", vlen(f32()), {3});
  add("texts", compound({{"a", text(3)}}), {});
  add("vast", f32(), {std::uint64_t{1} << 40, std::uint64_t{1} << 40});
  BOOST_TEST(contains(mistake_of({"deep"}), "has rows of (3) variable-length elements"));
  BOOST_TEST(contains(mistake_of({"texts"}), "dataset 'texts' has no numeric columns"));
  BOOST_TEST(contains(mistake_of({"vast"}), "is too large"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::service
