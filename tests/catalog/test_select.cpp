// What is chosen from files, and what is said about those that do not fit.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "../h5/formula.hpp"
#include "catalog/catalog.hpp"
#include "catalog/files.hpp"
#include "catalog/grouping.hpp"
#include "catalog/serialise.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::catalog;

BOOST_AUTO_TEST_SUITE(selecting)

static Contents contents(const std::vector<std::string>& names) {
  Contents all;
  for (const auto& name : names) all.push_back(examine(fixture(name)));
  return all;
}

static std::vector<std::string> paths(const Catalog& catalog) {
  std::vector<std::string> result;
  for (const auto& dataset : catalog.datasets) result.push_back(dataset.path);
  return result;
}

template <class F>
static std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

static void refuses(const std::vector<std::string>& files, const std::vector<std::string>& wanted,
                    const std::vector<std::string>& words) {
  const auto text = message_of([&] { select(contents(files), wanted); });
  for (const auto& word : words) BOOST_TEST(text.find(word) != std::string::npos, "'" << word << "' in: " << text);
}

BOOST_AUTO_TEST_CASE(files_in_order) {
  const auto catalog = select(contents({"part_c.h5", "part_b.h5", "part_a.h5"}), {"y", "/x", "y"});
  BOOST_TEST((paths(catalog) == std::vector<std::string>{"y", "x"}));
  BOOST_TEST(catalog.samples == 63u);
  BOOST_TEST(catalog.files[2].first_sample == 23u);
  BOOST_TEST(catalog.files[1].samples == 0u);
  BOOST_TEST(catalog.row_bytes() == 24u);
  BOOST_TEST(catalog.datasets[1].chunk_rows == 5u);
  BOOST_TEST(catalog.datasets[0].chunk_rows == 0u);
  BOOST_TEST((catalog.datasets[1].row_shape == std::vector<std::uint64_t>{4}));
}

BOOST_AUTO_TEST_CASE(none_named_takes_the_most_common_length) {
  // Two lengths occur twice: the one with more bytes wins, and the rest is told.
  const auto lengths = select(contents({"lengths.h5"}), {});
  BOOST_TEST((paths(lengths) == std::vector<std::string>{"c", "d"}));
  BOOST_TEST(lengths.left_out.size() == 3u);
  const auto parts = select(contents({"part_a.h5", "part_b.h5", "part_c.h5"}), {});
  BOOST_TEST((paths(parts) == std::vector<std::string>{"x", "y"}));
  BOOST_TEST(parts.left_out.at(0).path == "only_some");
  BOOST_TEST(parts.left_out.at(0).reason.find("part_c.h5") != std::string::npos);
  const auto odd = select(contents({"odd.h5"}), {});
  // Arrays and complex numbers, an enumeration, and x under one of its names.
  BOOST_TEST((paths(odd) == std::vector<std::string>{"complex", "kind", "pair", "x"}));
  BOOST_TEST(odd.left_out.size() == 9u);
}

BOOST_AUTO_TEST_CASE(a_dataset_goes_by_each_of_its_names) {
  for (const char* name : {"x", "group/hard", "/group/soft"}) {
    const auto catalog = select(contents({"odd.h5"}), {name});
    BOOST_TEST("/" + catalog.datasets[0].path == (name[0] == '/' ? name : "/" + std::string(name)));
    BOOST_TEST(catalog.datasets[0].in_file[0].path == "x");
  }
}

BOOST_AUTO_TEST_CASE(elements) {
  const auto catalog = select(contents({"types.h5"}), {"f2_be", "u8_le", "flag"});
  BOOST_TEST((catalog.datasets[0].element() == Element{DType::float16, true}));
  BOOST_TEST((catalog.datasets[1].element() == Element{DType::uint64, false}));
  BOOST_TEST((catalog.datasets[2].element() == Element{DType::boolean, false}));
  BOOST_TEST((select(contents({"odd.h5"}), {"kind"}).datasets[0].element() == Element{DType::int32, false}));
}

BOOST_AUTO_TEST_CASE(bitfields_and_times_are_elements) {
  const auto kinds = contents({"kinds.h5"});
  const auto element = [&](const char* path) { return select(kinds, {path}).datasets[0].element(); };
  BOOST_TEST((element("b8") == Element{DType::uint8, false}));
  BOOST_TEST((element("b16") == Element{DType::uint16, true}));
  BOOST_TEST((element("b64") == Element{DType::uint64, true}));
  BOOST_TEST((element("t32") == Element{DType::int32, false}));
  BOOST_TEST((element("t64") == Element{DType::int64, true}));
  const auto when = [](const Contents& files) { return find(files[0], "table")->type.members[1].type; };
  BOOST_TEST((element_of(when(kinds)) == Element{DType::int64, false}));
  BOOST_TEST((element_of(when(contents({"pytables.h5"}))) == Element{DType::float64, false, true}));
  for (const char* odd : {"i12", "i24", "u24", "long"}) BOOST_TEST(!element_of(find(kinds[0], odd)->type), odd);
}

BOOST_AUTO_TEST_CASE(who_is_named_may_have_any_type) {
  const auto catalog = select(contents({"odd.h5"}), {"table"});
  BOOST_TEST((catalog.datasets[0].type.kind == headrace::h5::Kind::compound));
  BOOST_TEST(catalog.datasets[0].row_bytes == catalog.datasets[0].type.size);
  BOOST_TEST(select(contents({"odd.h5"}), {"words"}).datasets[0].row_bytes == sizeof(char*));
  BOOST_TEST(select(contents({"odd.h5"}), {"ragged"}).datasets[0].row_bytes == 16u);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told) {
  refuses({"part_a.h5", "part_c.h5"}, {"only_some"}, {"'only_some'", "missing in", "part_c.h5", "it has: x, y"});
  refuses({"part_a.h5"}, {"only_som"}, {"no dataset 'only_som'", "did you mean 'only_some'", "x, y"});
  refuses({"part_a.h5", "other_shape.h5"}, {"x"}, {"(4,)", "(5,)", "part_a.h5", "other_shape.h5"});
  refuses({"part_a.h5", "other_shape.h5"}, {}, {"(4,)", "(5,)", "name the datasets"});
  refuses({"lengths.h5"}, {"a", "c", "long"}, {"a has 10", "c has 12", "long has 900", "lengths.h5"});
  refuses({"odd.h5"}, {"alone"}, {"single value"});
  refuses({"odd.h5"}, {"hollow"}, {"holds nothing"});
  refuses({"unknown_filter.h5"}, {"x"}, {"32123", "unknown_filter.h5"});
  refuses({"only_odd.h5"}, {}, {"no dataset in", "'table'", "source = \"table.pt\"", "'text'"});
  refuses({"no_dataset.h5"}, {}, {"holds no dataset"});
  refuses({"no_samples.h5"}, {}, {"no samples", "(0, 4)"});
}

BOOST_AUTO_TEST_CASE(types_may_differ_and_files_may_lack_what_may_be_missing) {
  const auto types = select(contents({"part_a.h5", "other_type.h5"}), {"x"});
  BOOST_TEST(types.row_bytes_at(0, 0) == 16u);
  BOOST_TEST(types.row_bytes_at(0, 40) == 32u);
  BOOST_TEST(types.datasets[0].row_bytes == 32u);
  const auto some = select(contents({"part_c.h5", "part_a.h5"}), {"only_some", "y"}, {"only_some"});
  BOOST_TEST(some.samples == 63u);
  BOOST_TEST(some.lacks("only_some", 0));
  BOOST_TEST(!some.lacks("only_some", 1));
  BOOST_TEST((some.datasets[0].row_shape == std::vector<std::uint64_t>{2}));
  const auto text = message_of([&] { select(contents({"part_c.h5", "part_a.h5"}), {"only_some"}, {"only_some"}); });
  BOOST_TEST(text.find("part_c.h5 has none of the datasets of the fields") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(what_is_a_field_only_where_named_says_how) {
  const auto odd = contents({"odd.h5"});
  const auto reason = [&](const char* path) { return unfit(*find(odd[0], path)); };
  BOOST_TEST(reason("table").ends_with(", its columns are fields where named: source = \"table.pt\""));
  BOOST_TEST(reason("ragged") ==
             "its type is variable-length int32, a field where named: source = \"ragged\", pad = N");
  BOOST_TEST(reason("text").find("source") == std::string::npos);
  BOOST_TEST(reason("x") == "");
}

BOOST_AUTO_TEST_CASE(a_dataset_that_cannot_be_opened_spoils_no_other) {
  auto newest = contents({"newest.h5"});
  newest[0].datasets[0].problem = "H5Dopen failed (bad version number for layout message)";  // as by a newer HDF5
  newest[0].datasets[1].problem.clear();
  BOOST_TEST(newest[0].datasets.size() == 2u);
  const auto text = message_of([&] { select(newest, {"x"}); });
  BOOST_TEST(text.find("bad version number") != std::string::npos, text);
  const auto left_out = message_of([&] { select(newest, {}); });
  if (newest[0].datasets[1].rows() > 0) BOOST_TEST(left_out == "no error");
}

BOOST_AUTO_TEST_CASE(what_libraries_keep_beside_the_data_is_no_field_unless_named) {
  const auto chosen = [](const char* name) { return paths(select(contents({name}), {})); };
  const auto why = [](const char* name, const std::string& path) -> std::string {
    for (const auto& out : select(contents({name}), {}).left_out)
      if (out.path == path) return out.reason;
    return "not left out";
  };
  using Paths = std::vector<std::string>;
  BOOST_TEST((chosen("empty_ones.h5") == Paths{"x", "y"}));
  BOOST_TEST(why("empty_ones.h5", "i/a") == "it holds no samples, its shape is (0,)");
  BOOST_TEST((chosen("pandas_fixed.h5") == Paths{"axis0", "df/block0_values"}));  // the first is somebody's own
  for (const auto* path : {"df/axis0", "df/axis1", "df/axis1_level0", "df/block0_items"})
    BOOST_TEST(why("pandas_fixed.h5", path) == "it is an axis of a pandas table", path);
  BOOST_TEST((chosen("pandas_table.h5") == Paths{"_i_own", "arr"}));
  for (const auto* path : {"df/_i_table/index/indicesLR", "df/_i_table/index/sortedLR", "df/_i_table/index/abounds"})
    BOOST_TEST(why("pandas_table.h5", path) == "it belongs to an index of PyTables", path);
  BOOST_TEST(why("pandas_table.h5", "df/table").find("source = \"df/table.index\"") != std::string::npos);
  BOOST_TEST((chosen("dimensions.nc") == Paths{"time", "v"}));
  for (const auto* path : {"x", "y", "u"})
    BOOST_TEST(why("dimensions.nc", path) == "it is a netCDF dimension without a variable", path);
  BOOST_TEST((chosen("matlab.mat") == Paths{"images"}));
  BOOST_TEST(select(contents({"dimensions.nc"}), {"y"}).samples == 50u);  // who names it gets it
}

BOOST_AUTO_TEST_CASE(links_that_lead_nowhere_are_told_where_asked_for) {
  refuses({"links.h5"}, {"gone/file"},
       {"'gone/file' cannot be used", "links.h5 it is an external link to '/d' in missing.h5", "no such file in",
        "put there what it leads to"});
  refuses({"links.h5"}, {"gone/soft/deeper"}, {"'gone/soft' is a soft link to '/nowhere/x'"});
  refuses({"links.h5"}, {"a_latest/none"}, {"no dataset 'a_latest/none'"});
  BOOST_TEST(select(contents({"links.h5"}), {"a_latest/x"}).datasets[0].in_file[0].path == "run5/x");
  // Each file has its own way.
  const auto latest = select(contents({"latest6.h5", "latest7.h5"}), {"latest/x"});
  BOOST_TEST(latest.datasets[0].in_file[0].path == "run6/x");
  BOOST_TEST(latest.datasets[0].in_file[1].path == "run7/x");
  const auto grouping = group(contents({"links.h5"}));
  const auto told = [&](const std::string& path) {
    return std::count_if(grouping.unfit.begin(), grouping.unfit.end(), [&](const auto& l) { return l.path == path; });
  };
  for (const auto* path : {"gone/file", "gone/soft", "gone/circle"}) BOOST_TEST(told(path) == 1, path);
}

BOOST_AUTO_TEST_CASE(descriptions_survive_the_journey) {
  for (const char* name : {"types.h5", "odd.h5", "layouts.h5", "kinds.h5", "pytables.h5", "links.h5"}) {
    const auto here = examine(fixture(name));
    const auto there = unpack(pack(here));
    BOOST_TEST(there.path == here.path);
    BOOST_TEST(there.bytes == here.bytes);
    BOOST_TEST(there.mtime_ns == here.mtime_ns);
    BOOST_TEST(there.head == here.head);
    BOOST_TEST(here.head != 0u);
    BOOST_TEST((there.datasets == here.datasets));
    BOOST_TEST((there.groups == here.groups));
    BOOST_TEST((there.dead_links == here.dead_links));
  }
}

BOOST_AUTO_TEST_CASE(patterns) {
  const auto parts = expand_files({fixture("types.h5"), fixture("part_*.h5")});
  BOOST_TEST((parts == std::vector<std::string>{fixture("types.h5"), fixture("part_a.h5"), fixture("part_b.h5"),
                                                fixture("part_c.h5")}));
  BOOST_TEST(message_of([] { expand_files({fixture("nothing_*.h5")}); }).find("no file matches") == 0u);
  BOOST_TEST(message_of([] { expand_files({}); }).find("no files given") == 0u);
  const auto twice = message_of([] { expand_files({fixture("part_a.h5"), fixture("part_?.h5")}); });
  BOOST_TEST(twice.find("named twice") != std::string::npos);
  BOOST_CHECK_THROW(expand_files({fixture("nothing_*.h5")}), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
