// Fields of files that hold their datasets in types that differ.
#include "data/columns/item_types.hpp"
#include "data/fields/files.hpp"

#include "data/fields/field_fixture.hpp"
#include "transform/field_transform.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

namespace {

using Shape = std::vector<std::uint64_t>;
using Texts = std::vector<std::string>;
using From = transform::ValidSpec::From;

h5::TypeInfo big(h5::TypeInfo type) {
  type.big_endian = true;
  return type;
}

h5::TypeInfo enumeration(std::vector<h5::Label> labels) {
  auto type = u8();
  type.kind = h5::Kind::enumeration;
  type.labels = std::move(labels);
  return type;
}

struct Files : FieldFixture {
  FieldConfig config{.name = "x", .source = {"d"}};

  void files(const std::vector<std::optional<h5::TypeInfo>>& types, std::vector<std::uint64_t> row = {}) {
    if (!datasets.find("d")) add("d", f32(), {});
    at("d").row_shape = std::move(row);
    in_files("d", types);
  }
  ResolvedField resolved() const { return resolve(config); }
  transform::ItemSpec item_in(std::size_t file, std::size_t item = 0) const {
    return as_in_file(file, resolved()).items.at(item);
  }
  std::uint64_t offset_in(std::size_t file, std::size_t column = 0) const {
    return item_in(file).columns.at(column).cell.offset;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(field_files, Files)

BOOST_AUTO_TEST_CASE(numbers_are_brought_to_the_type_that_holds_all) {
  files({i16(), big(i32()), u8()});
  BOOST_TEST((resolved().field.dtype == DType::int32));
  BOOST_TEST(files_told_apart(resolved()) == 3u);
  BOOST_TEST((item_in(1).columns[0].cell.dtype == DType::int32));
  BOOST_TEST(item_in(1).columns[0].cell.big_endian);
  BOOST_TEST(item_in(0).raw.record_bytes == 2u);
  BOOST_TEST(item_in(2).raw.record_bytes == 1u);
  BOOST_TEST((item_in(0).columns[0].nonfinite.kind == transform::Nonfinite::Kind::keep));
  files({f32(), f64()}, {3, 2});
  BOOST_TEST((resolved().field.dtype == DType::float64));
  BOOST_TEST(resolved().field.shape == (Shape{3, 2}));
  BOOST_TEST(transform::FieldTransform(as_in_file(1, resolved())).identity());
  BOOST_TEST(!transform::FieldTransform(as_in_file(0, resolved())).identity());
  files({boolean(), u8()});
  BOOST_TEST((resolved().field.dtype == DType::uint8));
  files({f32(), big(f32()), f32()});
  BOOST_TEST((resolved().field.dtype == DType::float32));
  BOOST_TEST(same_in_files(resolved(), 0, 2));
  BOOST_TEST(!same_in_files(resolved(), 0, 1));
}

BOOST_AUTO_TEST_CASE(what_no_type_holds_is_for_the_user_to_say) {
  files({i64(), f32()});
  BOOST_TEST(mistake(config) ==
             "[field.x] dataset 'd' is int64 in 'a.h5' but float32 in 'b.h5', and no type holds the "
             "values of both; say with dtype what they are to become");
  auto u64 = i64();
  u64.is_signed = false;
  files({f32(), i64(), u64});
  BOOST_TEST(has(mistake(config), "and no type holds the values of both"));
  config.dtype = DType::float64;
  BOOST_TEST((resolved().field.dtype == DType::float64));
  files({i32(), text(4)});
  BOOST_TEST(has(mistake(config),
                      "dataset 'd' is int32 in 'a.h5' but string (4 bytes) in 'b.h5', which cannot be one "
                      "field"));
  files({array(f32(), {2}), array(f32(), {3})});
  BOOST_TEST(has(mistake(config), "is float32[2] in 'a.h5' but float32[3] in 'b.h5'"));
  files({h5::TypeInfo{.kind = h5::Kind::opaque, .size = 4}, h5::TypeInfo{.kind = h5::Kind::opaque, .size = 6}});
  BOOST_TEST(has(mistake(config), "is opaque (4 bytes) in 'a.h5' but opaque (6 bytes) in 'b.h5'"));
  files({f32(), vlen(f32())});
  BOOST_TEST(has(mistake(config), "is float32 in 'a.h5' but variable-length float32 in 'b.h5'"));
}

BOOST_AUTO_TEST_CASE(texts_of_other_lengths_are_as_long_as_the_longest) {
  auto spaces = text(2);
  spaces.padding = h5::Padding::space_padded;
  // What each file delivers for a text: the numbers of bytes that stand in it, and what is put behind them.
  const auto bytes = [&](std::size_t file) {
    std::string told;
    for (const auto& item : as_in_file(file, resolved()).items)
      for (const auto& column : item.columns)
        told += (told.empty() ? "" : " ") + (item.constant ? "=" + std::to_string(static_cast<int>(*item.constant))
                                                           : std::to_string(column.cell.offset));
    return told;
  };
  files({text(4), text(6), spaces, text(4)});
  BOOST_TEST(resolved().field.shape == Shape{6});
  BOOST_TEST(bytes(0) == "0 1 2 3 =0 =0");
  BOOST_TEST(bytes(1) == "0 1 2 3 4 5");
  BOOST_TEST(bytes(2) == "0 1 =32 =32 =32 =32");
  BOOST_TEST(bytes(3) == bytes(0));
  BOOST_TEST(as_in_file(2, resolved()).items[0].raw.record_bytes == 2u);
  files({text(3), text(2)}, {5});
  BOOST_TEST(resolved().field.shape == (Shape{5, 3}));
  config.source = {"d.name"};
  files({compound({{"name", text(2)}, {"pt", f32()}}), compound({{"pt", f32()}, {"name", text(3)}}),
         compound({{"name", spaces}})});
  BOOST_TEST(resolved().field.shape == Shape{3});
  BOOST_TEST(bytes(0) == "0 1 =0");
  BOOST_TEST(bytes(1) == "4 5 6");
  BOOST_TEST(bytes(2) == "0 1 =32");
}

BOOST_AUTO_TEST_CASE(which_types_hold_which) {
  BOOST_TEST(columns::holds_all_of(DType::float64, DType::int32));
  BOOST_TEST(!columns::holds_all_of(DType::float64, DType::int64));
  BOOST_TEST(!columns::holds_all_of(DType::float32, DType::int32));
  BOOST_TEST(columns::holds_all_of(DType::float16, DType::uint8));
  BOOST_TEST(columns::holds_all_of(DType::bfloat16, DType::uint8));
  BOOST_TEST(!columns::holds_all_of(DType::bfloat16, DType::int16));
  BOOST_TEST(!columns::holds_all_of(DType::bfloat16, DType::float16));
  BOOST_TEST(columns::holds_all_of(DType::int16, DType::uint8));
  BOOST_TEST(!columns::holds_all_of(DType::int16, DType::uint16));
  BOOST_TEST(!columns::holds_all_of(DType::uint32, DType::int8));
  BOOST_TEST(columns::holds_all_of(DType::int8, DType::boolean));
  BOOST_TEST(!columns::holds_all_of(DType::boolean, DType::int8));
}

BOOST_AUTO_TEST_CASE(members_are_found_by_name_wherever_they_stand) {
  auto packed = compound({{"pt", f32()}, {"flag", u8()}, {"eta", f32()}});
  auto padded = packed;
  padded.members[2].offset = 8;
  padded.size = 12;
  const auto longer = compound({{"new", f64()}, {"eta", big(f64())}, {"flag", u8()}, {"pt", f32()}});
  files({packed, padded, longer});
  config.source = {"d[eta, pt]"};
  BOOST_TEST(resolved().field.columns == (Texts{"eta", "pt"}));
  BOOST_TEST((resolved().field.dtype == DType::float64));
  BOOST_TEST(offset_in(0) == 5u);
  BOOST_TEST(offset_in(1) == 8u);
  BOOST_TEST(offset_in(2) == 8u);
  BOOST_TEST(offset_in(2, 1) == 17u);
  BOOST_TEST(item_in(1).raw.record_bytes == 12u);
  BOOST_TEST(item_in(2).raw.record_bytes == 21u);
  BOOST_TEST((item_in(2).columns[0].cell.dtype == DType::float64));
  config.source = {"d"};
  BOOST_TEST(has(mistake(config),
                      "dataset 'd' has column 'new' in 'c.h5' but not in 'a.h5'; name the columns that are "
                      "wanted, as in \"d[pt, flag, eta]\""));
  files({packed, padded});
  BOOST_TEST(resolved().field.columns == (Texts{"pt", "flag", "eta"}));
  BOOST_TEST(files_told_apart(resolved()) == 2u);
}

BOOST_AUTO_TEST_CASE(what_nobody_names_may_differ) {
  const auto other = compound({{"pt", f32()}, {"name", text(3)}});
  const auto another = compound({{"pt", f32()}, {"name", vlen(f32())}});
  auto same_size = compound({{"pt", f32()}, {"name", i16()}, {"x", u8()}});
  files({other, same_size});
  config.source = {"d.pt"};
  BOOST_TEST(files_told_apart(resolved()) == 0u);  // they are the same to this field
  files({other, another});
  BOOST_TEST(resolved().field.shape.empty());
}

BOOST_AUTO_TEST_CASE(a_file_may_lack_what_may_be_missing) {
  const auto with = compound({{"pt", f32()}, {"weight", f64()}});
  const auto without = compound({{"pt", f32()}});
  config.source = {"d.weight"};
  for (const auto& types : std::vector<std::vector<std::optional<h5::TypeInfo>>>{{with, without}, {without, with}}) {
    config.missing.reset();
    files(types);
    BOOST_TEST(has(mistake(config), "give missing = VALUE"), mistake(config));
    config.missing = 7;
    const std::size_t there = types[0]->members.size() == 2 ? 0 : 1;
    BOOST_TEST((resolved().field.dtype == DType::float64));
    BOOST_TEST(!item_in(there).constant.has_value());
    BOOST_TEST(item_in(1 - there).constant.value() == 7.0);
    BOOST_TEST(offset_in(there) == 4u);
    BOOST_TEST(!resolved().spec.items[0].constant.has_value());
  }
  files({std::nullopt, with, std::nullopt});
  BOOST_TEST(item_in(0).constant.value() == 7.0);
  BOOST_TEST(!item_in(1).constant.has_value());
  BOOST_TEST(same_in_files(resolved(), 0, 2));
  config.missing.reset();
  BOOST_TEST(has(mistake(config), "dataset 'd' is missing in 'a.h5' (it is in 'b.h5')"));
}

BOOST_AUTO_TEST_CASE(columns_of_other_files_part_the_item) {
  files({compound({{"a", f32()}, {"b", f32()}, {"c", f32()}}), compound({{"c", f32()}, {"a", f32()}})});
  config.source = {"d[a, b, c]"};
  config.missing = 0;
  BOOST_TEST_REQUIRE(resolved().spec.items.size() == 3u);
  BOOST_TEST(item_in(1, 1).constant.has_value());
  BOOST_TEST(item_in(1, 2).columns[0].cell.offset == 0u);
  BOOST_TEST(item_in(0, 2).columns[0].cell.offset == 8u);
}

BOOST_AUTO_TEST_CASE(validity_stands_elsewhere_too) {
  files({compound({{"x", f32()}, {"valid", boolean()}}), compound({{"valid", u8()}, {"x", f32()}})}, {4});
  config.source = {"d.x"};
  config.mask = "m";
  BOOST_TEST(item_in(0).valid.cell.offset == 4u);
  BOOST_TEST(item_in(1).valid.cell.offset == 0u);
  BOOST_TEST((item_in(1).valid.from == From::record));
  config.source = {"truth"};
  config.valid = "d.valid";
  BOOST_TEST_REQUIRE(!mistake(config).starts_with("[field.x] dataset"), mistake(config));
  at("truth").row_shape = {4};
  const auto outside = resolved().validity;
  BOOST_TEST(outside.in_file.at(0).cell.offset == 4u);
  BOOST_TEST(outside.in_file.at(1).cell.offset == 0u);
  BOOST_TEST(outside.rows_in_file.at(1).raw.record_bytes == 5u);
  files({compound({{"x", f32()}, {"valid", boolean()}}), compound({{"x", f32()}})}, {4});
  config.valid.clear();
  config.source = {"d.x"};
  BOOST_TEST(has(mistake(config), "has a member 'valid' in 'a.h5' but not in 'b.h5'"));
}

BOOST_AUTO_TEST_CASE(labels_of_files) {
  config.encode = Encode::index;
  files({enumeration({{"up", 0}, {"down", 1}}), enumeration({{"down", 1}, {"strange", 2}})});
  BOOST_TEST(resolved().field.classes == (Texts{"up", "down", "strange"}));
  files({enumeration({{"up", 0}, {"down", 1}}), enumeration({{"down", 0}, {"up", 1}})});
  BOOST_TEST(has(mistake(config), "is enum {up, down} in 'a.h5' but enum {down, up} in 'b.h5'"));
  files({enumeration({{"a", 0}, {"b", 1}}), enumeration({{"a", 0}, {"b", 2}})});  // alike in short
  BOOST_TEST(has(mistake(config), "is enum {a = 0, b = 1} of uint8 in 'a.h5' but enum {a = 0, b = 2} of uint8"));
  files({text(4), text(0), text(9)});
  label_values = Texts{"pi"};
  BOOST_TEST((item_in(1).columns[0].cell.kind == transform::CellKind::text_pointer));
  BOOST_TEST(item_in(2).columns[0].cell.bytes == 9u);
  BOOST_TEST(item_in(1).raw.record_bytes == 8u);
  files({i32(), f32()});
  label_values = Texts{"5"};
  BOOST_TEST((item_in(1).columns[0].cell.dtype == DType::float32));
}

BOOST_AUTO_TEST_CASE(expanded_columns_and_picked_ones) {
  files({f32(), f64()}, {3});
  config.scale = {1, 2, 3};
  BOOST_TEST(offset_in(0, 2) == 8u);
  BOOST_TEST(offset_in(1, 2) == 16u);
  config.scale.clear();
  config.source = {"d[2, 0]"};
  BOOST_TEST(offset_in(0) == 8u);
  BOOST_TEST(offset_in(1) == 16u);
  BOOST_TEST(item_in(1).raw.record_bytes == 24u);
  files({compound({{"v", array(f32(), {2})}}), compound({{"v", array(f32(), {3})}})});
  config.source = {"d.v.1"};
  BOOST_TEST(has(mistake(config), "column 'v' of dataset 'd' is float32[2] in 'a.h5' but float32[3] in 'b.h5'"));
  files({complex(f32()), complex(f64())});
  config.source = {"d.imag"};
  BOOST_TEST(offset_in(1) == 8u);
  BOOST_TEST((resolved().field.dtype == DType::float64));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
