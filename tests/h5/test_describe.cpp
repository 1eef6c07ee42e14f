#include <hdf5.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "base/error.hpp"
#include "h5/describe.hpp"
#include "h5/formula.hpp"
#include "h5/types.hpp"

using namespace headrace::h5;

BOOST_AUTO_TEST_SUITE(describe)

static std::map<std::string, DatasetInfo> contents(const std::string& name) {
  std::map<std::string, DatasetInfo> found;
  for (auto& dataset : describe_datasets(open_file(fixture(name)))) found[dataset.path] = dataset;
  return found;
}

BOOST_AUTO_TEST_CASE(numbers_of_every_size_and_order) {
  const auto found = contents("types.h5");
  BOOST_TEST(found.size() == 21u);
  BOOST_TEST(text_of(found.at("i1_le").type) == "int8");
  BOOST_TEST(text_of(found.at("u2_be").type) == "uint16 (big-endian)");
  BOOST_TEST(text_of(found.at("i8_le").type) == "int64");
  BOOST_TEST(text_of(found.at("f2_le").type) == "float16");
  BOOST_TEST(text_of(found.at("f2_be").type) == "float16 (big-endian)");
  BOOST_TEST(text_of(found.at("f8_be").type) == "float64 (big-endian)");
  BOOST_TEST(text_of(found.at("flag").type) == "bool");
  for (const auto& [path, dataset] : found) {
    BOOST_TEST(dataset.type.standard, path);
    BOOST_TEST(dataset.rows() == 37u, path);
    BOOST_TEST(dataset.bytes() == dataset.stored_bytes, path);
  }
  BOOST_TEST(shape_text(found.at("f4_le").dims) == "(37, 3, 2)");
  BOOST_TEST(found.at("f4_le").row_bytes() == 24u);
}

BOOST_AUTO_TEST_CASE(types_that_are_no_numbers) {
  const auto found = contents("odd.h5");
  const auto type = [&](const char* path) { return text_of(found.at(path).type); };
  BOOST_TEST(type("table") == "compound {pt: float32, eta: float64 (big-endian), id: int32[3], ok: bool}");
  BOOST_TEST(found.at("table").type.members.at(2).offset == 12u);
  BOOST_TEST(type("text") == "string (2 bytes)");
  BOOST_TEST(type("words") == "string (variable)");
  BOOST_TEST(type("ragged") == "variable-length int32");
  BOOST_TEST(type("pair") == "float32[2]");
  BOOST_TEST(type("kind") == "enum {up, down, strange}");
  BOOST_TEST(type("complex") == "complex64");
  BOOST_TEST(lasting_text(found.at("complex").type) == "compound {r: float32, i: float32}");
  BOOST_TEST(lasting_text(found.at("wide_float").type) == "float128 (non-standard layout)");
  BOOST_TEST(type("wide_float").starts_with("float128 (15 bits of exponent, "));
  BOOST_TEST(found.at("alone").dims.empty());
  BOOST_TEST(found.at("none").dims.empty());
}

BOOST_AUTO_TEST_CASE(bitfields_and_times_are_numbers) {
  const auto found = contents("kinds.h5");
  const auto type = [&](const char* path) { return text_of(found.at(path).type); };
  BOOST_TEST(type("b8") == "uint8");
  BOOST_TEST(type("b16") == "uint16 (big-endian)");
  BOOST_TEST(type("b32") == "uint32");
  BOOST_TEST(type("b64") == "uint64 (big-endian)");
  BOOST_TEST(type("t32") == "int32");
  BOOST_TEST(type("t64") == "int64 (big-endian)");
  BOOST_TEST(type("table") == "compound {flag: uint8, when: int64, z: complex64, text: string (3 bytes)}");
  auto table = found.at("table").type;
  as_pytables_writes_times(table);
  BOOST_TEST(text_of(table).find("when: float64 (PyTables' time)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(times_are_those_of_pytables_where_it_wrote_the_file_that_they_stand_in) {
  const auto is_packed = [](const char* file, const char* path) {
    return text_of(contents(file).at(path).type).find("when: float64 (PyTables' time)") != std::string::npos;
  };
  BOOST_TEST(is_packed("pytables.h5", "table"));
  BOOST_TEST(is_packed("to_pytables.h5", "table"));  // through a link
  BOOST_TEST(!is_packed("pytables_links.h5", "table"));
  BOOST_TEST(!is_packed("kinds.h5", "table"));
}

BOOST_AUTO_TEST_CASE(numbers_that_no_cpu_takes_say_what_is_odd) {
  const auto found = contents("kinds.h5");
  const auto type = [&](const char* path) { return text_of(found.at(path).type); };
  BOOST_TEST(type("i12") == "int16 (12 of its 16 bits)");
  BOOST_TEST(type("i24") == "int32 (24 of its 32 bits)");
  BOOST_TEST(type("u24") == "uint24 (big-endian)");
  BOOST_TEST(type("opaque") == "opaque (5 bytes)");
  BOOST_TEST(type("refs") == "reference (8 bytes)");
}

BOOST_AUTO_TEST_CASE(opaque_values_that_numpy_wrote_are_its_numbers) {
  const auto found = contents("kinds.h5");
  const auto type = [&](const char* path) { return found.at(path).type; };
  BOOST_TEST(text_of(type("np_moment")) == "int64 (NumPy's M8[ns])");
  BOOST_TEST((type("np_moment").kind == Kind::integer && type("np_moment").is_signed));
  BOOST_TEST(text_of(type("np_span")) == "int64 (NumPy's m8[D], big-endian)");
  BOOST_TEST(lasting_text(type("np_span")) == "int64 (big-endian)");
  BOOST_TEST(text_of(type("np_plain")) == "uint16 (big-endian)");
  BOOST_TEST(text_of(type("np_other")) == "opaque (16 bytes)");
}

BOOST_AUTO_TEST_CASE(attributes_of_64_bits_keep_all_of_them) {
  const auto found = contents("kinds.h5");
  const auto wholes = [&](const char* name) { return found.at("c64").attribute(name)->wholes; };
  BOOST_TEST(
      (wholes("signed") == std::vector{headrace::Whole(INT64_MIN), headrace::Whole((std::int64_t{1} << 53) + 1)}));
  BOOST_TEST((wholes("unsigned") == std::vector{headrace::Whole(UINT64_MAX)}));
  BOOST_TEST(wholes("short").empty());
  BOOST_TEST(found.at("c64").attribute("short")->numbers.at(0) == 5);
}

BOOST_AUTO_TEST_CASE(attributes_may_name_many_classes) {
  const auto found = contents("kinds.h5");
  const auto attribute = [&](const char* name) { return found.at("c64").attribute(name); };
  BOOST_TEST_REQUIRE(attribute("names"));
  BOOST_TEST(attribute("names")->texts.size() == 65u);
  BOOST_TEST(attribute("names")->texts.back() == "class 64");
  BOOST_TEST_REQUIRE(attribute("codes"));
  BOOST_TEST(attribute("codes")->texts.size() == 4'000u);
  BOOST_TEST(attribute("codes")->texts.back() == "3999");
  BOOST_TEST(!attribute("many numbers"));  // they are no names of anything
}

BOOST_AUTO_TEST_CASE(names_of_numbers_beyond_int64_are_refused) {
  const auto none = std::numeric_limits<std::uint64_t>::max();
  const hid_t type = H5Tenum_create(H5T_NATIVE_UINT64);
  H5Tenum_insert(type, "none", &none);
  BOOST_CHECK_EXCEPTION(describe_type(type), headrace::Error, [](const auto& error) {
    return std::string(error.what())
        .starts_with("name 'none' of its enumeration stands for 18446744073709551615, and names are known up to");
  });
  H5Tclose(type);
}

BOOST_AUTO_TEST_CASE(what_stands_in_an_element) {
  const auto found = contents("kinds.h5");
  const auto dims = [&](const char* path) { return elements_of(found.at(path).type).dims; };
  using Dims = std::vector<std::uint64_t>;
  BOOST_TEST((dims("nested") == Dims{3, 2}));
  BOOST_TEST(text_of(*elements_of(found.at("nested").type).type) == "int16");
  BOOST_TEST((dims("c128") == Dims{2}));
  BOOST_TEST(text_of(*elements_of(found.at("c128").type).type) == "float64 (big-endian)");
  BOOST_TEST(dims("b8").empty());
  BOOST_TEST(dims("table").empty());
}

BOOST_AUTO_TEST_CASE(texts_end_as_their_padding_says) {
  const auto found = contents("kinds.h5");
  using Texts = std::vector<std::string>;
  const auto texts = [&](const char* path) { return found.at(path).attribute("texts")->texts; };
  using namespace std::string_literals;
  BOOST_TEST((texts("x_term") == Texts{"ab", "ab    ", "ab", "abcdef", "", " ab   "}));
  BOOST_TEST((texts("x_null") == Texts{"ab", "ab    ", "ab\0cd"s, "abcdef", "", " ab   "}));
  BOOST_TEST((texts("x_space") == Texts{"ab\0\0\0\0"s, "ab", "ab\0cd\0"s, "abcdef", "\0\0\0\0\0\0"s, " ab"}));
  BOOST_TEST((found.at("s_space").type.padding == Padding::space_padded));
  BOOST_TEST(!found.at("s_space").type.utf8);
  BOOST_TEST(found.at("x_space").attribute("texts")->type.utf8);
}

BOOST_AUTO_TEST_CASE(types_that_differ_are_told_in_different_words) {
  const auto found = contents("kinds.h5");
  const auto type = [&](const char* path) { return found.at(path).type; };
  const auto apart = told_apart(type("s_null"), type("s_space"));
  BOOST_TEST(apart.first == "string (6 bytes, padded with NULs, ASCII)");
  BOOST_TEST(apart.second == "string (6 bytes, padded with spaces, ASCII)");
  auto padded = type("table");
  padded.members[1].offset += 1;
  BOOST_TEST(told_apart(type("table"), padded).first != told_apart(type("table"), padded).second);
  auto renamed = contents("odd.h5").at("kind").type;
  const auto kind = renamed;
  std::swap(renamed.labels[0].value, renamed.labels[2].value);
  BOOST_TEST(told_apart(kind, renamed).second == "enum {up = 2, down = 1, strange = 0} of int32");
}

BOOST_AUTO_TEST_CASE(links_are_counted_once_and_loops_end) {
  const auto found = contents("odd.h5");
  BOOST_TEST(found.size() == 12u);
  BOOST_TEST((found.at("x").aliases == std::vector<std::string>{"group/hard", "group/soft"}));
  BOOST_TEST(found.count("group/outside") == 0u);
}

BOOST_AUTO_TEST_CASE(datasets_of_other_files) {
  const auto found = contents("master.h5");
  BOOST_TEST(found.size() == 1u);
  BOOST_TEST((found.at("entry/block").layout == Layout::other));
  BOOST_TEST(!found.at("entry/block").offset.has_value());
  BOOST_TEST(found.at("entry/block").rows() == 50u);
}

BOOST_AUTO_TEST_CASE(layouts_and_filters) {
  const auto found = contents("layouts.h5");
  const auto& gzip = found.at("deep/er/c_gzip_shuffle");
  BOOST_TEST((gzip.layout == Layout::chunked));
  BOOST_TEST((gzip.chunk == std::vector<std::uint64_t>{16, 6, 5, 4}));
  BOOST_TEST(gzip.filters.size() == 2u);
  BOOST_TEST(text_of(gzip.filters.at(0)) == "shuffle");
  BOOST_TEST(text_of(gzip.filters.at(1)) == "gzip(4)");
  BOOST_TEST(gzip.stored_bytes < gzip.bytes());
  const auto& lzf = found.at("deep/er/l_lzf_plain");
  BOOST_TEST(text_of(lzf.filters.at(0)) == "lzf");
  BOOST_TEST(lzf.filters.at(0).available);
  const auto& plain = found.at("deep/er/a_contiguous");
  BOOST_TEST((plain.layout == Layout::contiguous));
  BOOST_TEST(plain.offset.has_value());
  BOOST_TEST(!found.at("never_written").offset.has_value());
  BOOST_TEST((found.at("compact").layout == Layout::compact));
  BOOST_TEST((contents("virtual.h5").at("x").layout == Layout::other));
  const auto unknown = contents("unknown_filter.h5").at("x").filters.at(0);
  BOOST_TEST(unknown.id == 32123);
  BOOST_TEST(!unknown.available);
}

BOOST_AUTO_TEST_SUITE_END()
