// Virtual datasets: seen through, read by HDF5, and refused where HDF5 would give fill values for data; on any number
// of ranks and every way of reading.
#include <hdf5.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../h5/formula.hpp"
#include "base/file_limit.hpp"
#include "catalog/grouping.hpp"
#include "mpi/agree.hpp"
#include "reader/load.hpp"
#include "reader/sample_sink.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::reader;

BOOST_AUTO_TEST_SUITE(virtual_datasets)

static std::string file(const std::string& name) {
  return fixture("virtual/" + name);
}

static Contents looked_at(const std::string& name, const ScanOptions& options = {}) {
  return scan(mpi::Comm::world(), {file(name)}, options);
}

static std::vector<std::string> names_of(const std::vector<FileInfo>& files) {
  std::vector<std::string> names;
  for (const auto& one : files) names.push_back(std::filesystem::path(one.path).filename());
  return names;
}

template <class F>
static std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

static void check_words(const std::string& text, const std::vector<std::string>& words) {
  for (const auto& word : words) BOOST_TEST(text.find(word) != std::string::npos, "'" << word << "' in: " << text);
}

/// Rows in stripes, so that every rank has some of every file; each element against `expected`, on every way.
template <class Expected>
static void check_values(const Catalog& catalog, const Expected& expected) {
  const auto world = mpi::Comm::world();
  const auto rank = static_cast<std::uint64_t>(world.rank()), ranks = static_cast<std::uint64_t>(world.size());
  std::vector<Interval> mine;
  for (auto first = 7 * rank; first < catalog.samples; first += 7 * ranks)
    mine.push_back({first, std::min(catalog.samples, first + 7)});
  for (const auto io : {Io::automatic, Io::direct, Io::collective})
    for (const bool in_place : {true, false}) {
      SampleSink sink(catalog, in_place);
      LoadOptions options;
      options.io = io;
      options.threads = 2;
      load(world, catalog, mine, sink, options);
      std::uint64_t wrong = 0;
      for (std::size_t d = 0; d < catalog.datasets.size(); ++d)
        for (const auto& interval : mine)
          for (auto s = interval.first; s < interval.last; ++s)
            for (std::uint64_t e = 0; e < catalog.datasets[d].in_file[0].row_elements(); ++e)
              wrong += sink.value(d, s, e) != expected(catalog.datasets[d].path, s, e);
      BOOST_TEST(wrong == 0u, "io " << static_cast<int>(io) << " in place " << in_place);
    }
}

static double by_formula(const std::string& path, std::uint64_t sample, std::uint64_t element) {
  return static_cast<double>(path == "x" ? formula(1, sample, element) : formula(2, sample, element) - 125);
}

BOOST_AUTO_TEST_CASE(sources_take_the_place_of_a_virtual_file) {
  for (const auto* name : {"through.h5", "absolute.h5", "elsewhere/linked.h5"}) {
    const auto contents = looked_at(name);
    const auto catalog = select(contents, {"x", "y"});
    BOOST_TEST((names_of(catalog.files) == (std::vector<std::string>{"p0.h5", "p1.h5", "p2.h5"})));
    BOOST_TEST((names_of(catalog.as_named()) == std::vector{std::filesystem::path(name).filename().string()}));
    BOOST_TEST(catalog.as_named()[0].samples == 80u);
    BOOST_TEST(catalog.files[2].first_sample == 57u);
    BOOST_TEST(catalog.named_of(2).bytes == std::filesystem::file_size(file(name)));
    BOOST_TEST((catalog.datasets[0].in_file[0].layout == h5::Layout::contiguous));
    BOOST_TEST((catalog.datasets[0].in_file[1].layout == h5::Layout::chunked));
    check_values(catalog, by_formula);
  }
}

BOOST_AUTO_TEST_CASE(nothing_but_the_rows_comes_from_the_sources) {
  const auto contents = looked_at("through.h5");
  for (const auto& one : contents) {
    BOOST_TEST(one.conventions.starts_with("CF"));
    BOOST_TEST((names(one) == (std::vector<std::string>{"x", "y"})));
    const auto& x = *find(one, "z_alias");  // names of the virtual file hold, too
    BOOST_TEST(x.path == "x");
    BOOST_TEST(x.attributes.size() == 1u);
    BOOST_TEST((x.attribute("units")->texts == std::vector<std::string>{"of the virtual file"}));
  }
}

BOOST_AUTO_TEST_CASE(a_virtual_file_over_virtual_files_is_seen_through_to_the_end) {
  const auto catalog = select(looked_at("nested.h5"), {"x", "y"});
  BOOST_TEST((names_of(catalog.files) == (std::vector<std::string>{"p0.h5", "p1.h5", "p2.h5", "p3.h5"})));
  BOOST_TEST((names_of(catalog.as_named()) == std::vector<std::string>{"nested.h5"}));
  check_values(catalog, by_formula);
}

BOOST_AUTO_TEST_CASE(a_source_without_rows_is_one_of_them) {
  const auto catalog = select(looked_at("with_an_empty_one.h5"), {"x", "y"});
  BOOST_TEST((names_of(catalog.files) == (std::vector<std::string>{"p0.h5", "none.h5", "p1.h5", "p2.h5"})));
  check_values(catalog, by_formula);
}

BOOST_AUTO_TEST_CASE(others_are_read_by_hdf5_to_the_same_values) {
  for (const auto* name :
       {"beside.h5", "self.h5", "every_second.h5", "columns.h5", "parts.h5", "wider.h5", "many.h5", "raw_whole.h5"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto catalog = select(looked_at(name), {"x"});
      BOOST_TEST((names_of(catalog.files) == std::vector<std::string>{name}));
      check_values(catalog, by_formula);
    }
  }
  for (const auto* name : {"beside.h5", "cuts.h5"}) check_values(select(looked_at(name), {"x", "y"}), by_formula);
}

BOOST_AUTO_TEST_CASE(unlimited_mappings_of_whole_sources_are_seen_through) {
  const auto numbered = select(looked_at("numbered.h5"), {"x"});
  BOOST_TEST((names_of(numbered.files) == std::vector<std::string>{"block0.h5", "block1.h5"}));
  check_values(numbered, by_formula);
  const auto catalog = select(looked_at("unlimited.h5"), {"x"});
  BOOST_TEST((names_of(catalog.files) == std::vector<std::string>{"block0.h5"}));
  check_values(catalog, by_formula);
}

BOOST_AUTO_TEST_CASE(what_lies_beside_virtual_datasets_may_be_let_go) {
  const auto contents =
      looked_at("beside.h5", {.see_through = true, .fill_gaps = false, .keep = [](const auto&) { return false; }});
  BOOST_TEST(contents.size() == 3u);
  check_values(select(contents, {"x"}), by_formula);
}

BOOST_AUTO_TEST_CASE(lost_sources_are_errors_that_name_them) {
  const auto says = [](const std::string& name, const std::vector<std::string>& words) {
    const auto text = message_of([&] { select(looked_at(name), {"x"}); });
    check_words(text, words);
    // Nobody trains on what is left, either.
    check_words(message_of([&] { select(looked_at(name), {}); }), words);
  };
  const auto folder = std::filesystem::path(file("")).parent_path().string();
  says("gone.h5", {"'x'", "gone.h5 cannot be used", "17 of its 80 rows", "rows 40 to 56", "'data/x' in plain/gone.h5",
                   "no such file in " + folder + "/plain", "HDF5_VDS_PREFIX", "virtual-gaps"});
  says("corrupt.h5", {"17 of its 80 rows", "rows 40 to 56", "plain/corrupt.h5", "not an HDF5 file"});
  says("renamed.h5", {"17 of its 80 rows", "rows 40 to 56", "plain/renamed.h5 has no such dataset"});
  says("uncovered.h5", {"23 of its 80 rows", "rows 57 to 79 come from no source"});
  says("corner.h5", {"15 of its 40 rows", "rows 25 to 39 come from no source"});
  says("nested_lost.h5", {"17 of its 80 rows", "'x' in gone.h5 is virtual itself", "plain/gone.h5"});
  says("elsewhere/relative.h5",
       {"80 of its 80 rows", "plain/p0.h5", folder + "/elsewhere/plain", "and 2 more sources"});
  says("numbered_lost.h5", {"plain/nowhere0.h5", "no such file"});
  says("unlimited_lost.h5", {"plain/nowhere.h5", "no such file"});
  says("raw_nowhere.h5", {"raw file '" + folder + "/nowhere.raw'", "no such file", "HDF5_EXTFILE_PREFIX"});
  says("raw_short.h5", {"short.raw", "too short: 480 bytes, where the dataset needs 1280"});
}

BOOST_AUTO_TEST_CASE(what_hdf5_would_misread_is_an_error_whatever_is_allowed) {
  for (const bool fill : {false, true}) {
    const auto says = [&](const std::string& name, const std::vector<std::string>& words) {
      check_words(
          message_of([&] { select(looked_at(name, {.see_through = true, .fill_gaps = fill, .keep = {}}), {"x"}); }),
          words);
    };
    says("flat.h5", {"plain/flat.h5", "shape (40,)", "2 axes"});
    says("shrunk.h5", {"plain/p0.h5", "shape (40, 4)", "rows 0 to 49"});
    says("circle0.h5", {"circle1.h5", "made of the very dataset"});
    says("itself.h5", {"/nowhere/itself.h5", "made of the very dataset"});
    says("unlimited_lost.h5", {"plain/nowhere.h5"});
  }
}

BOOST_AUTO_TEST_CASE(gaps_are_filled_where_that_is_asked_for) {
  const auto lost = [](std::uint64_t s) { return s >= 40 && s < 57; };
  for (const auto* name : {"gone.h5", "corrupt.h5", "renamed.h5", "nested_lost.h5"}) {
    const auto contents = looked_at(name, {.see_through = true, .fill_gaps = true, .keep = {}});
    BOOST_TEST(contents[0].virtuals[0].fill_rows == 17u);
#if H5_VERSION_GE(1, 14, 0)  // a source that is no HDF5 file ends HDF5's reading, where older ones took the fill value
    if (name == std::string("corrupt.h5")) {
      BOOST_CHECK_THROW(check_values(select(contents, {"x"}), by_formula), Error);
      continue;
    }
#endif
    check_values(select(contents, {"x"}), [&](const std::string& path, std::uint64_t s, std::uint64_t e) {
      return lost(s) ? -9 : by_formula(path, s, e);
    });
  }
  check_values(
      select(looked_at("uncovered.h5", {.see_through = true, .fill_gaps = true, .keep = {}}), {"x"}),
      [](const std::string& path, std::uint64_t s, std::uint64_t e) { return s >= 57 ? -9 : by_formula(path, s, e); });
}

BOOST_AUTO_TEST_CASE(the_working_directory_does_not_matter) {
  const auto world = mpi::Comm::world();
  const auto before = std::filesystem::current_path();
  const auto x_in = [&](const std::string& path) { return select(scan(world, {path}), {"x"}); };
  std::filesystem::current_path(std::filesystem::temp_directory_path());
  check_values(x_in(file("through.h5")), by_formula);
  check_values(x_in(file("every_second.h5")), by_formula);
  // From the folder that they are relative to, HDF5 finds these, and so do we.
  std::filesystem::current_path(file(""));
  check_values(x_in("elsewhere/relative.h5"), by_formula);
  check_values(x_in("through.h5"), by_formula);
  std::filesystem::current_path(before);
}

BOOST_AUTO_TEST_CASE(more_sources_than_may_be_open_are_refused) {
  const auto catalog = select(looked_at("many.h5"), {"x"});
  const auto world = mpi::Comm::world();
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  auto few = before;
  few.rlim_cur = open_files() + 30;
  setrlimit(RLIMIT_NOFILE, &few);
  SampleSink sink(catalog, true);
  std::vector<Interval> mine{{0, catalog.samples}};
  const auto text = message_of([&] { load(world, catalog, mine, sink, {}); });
  setrlimit(RLIMIT_NOFILE, &before);
  check_words(text,
              {"'x' in " + file("many.h5"), "40 sources", "ulimit -n", "may open " + std::to_string(few.rlim_cur)});
  // Each file by itself needs one.
  setrlimit(RLIMIT_NOFILE, &few);
  check_values(select(looked_at("through.h5"), {"x"}), by_formula);
  setrlimit(RLIMIT_NOFILE, &before);
}

/// Files of its own, gone with it.
struct Scratch {
  std::filesystem::path folder;
  Scratch() {
    const auto world = mpi::Comm::world();
    const auto name = world.bcast(std::filesystem::temp_directory_path() / ("virtual." + std::to_string(getpid())));
    folder = name;
    mpi::together(world, [&] {
      if (world.rank() == 0) std::filesystem::copy(file(""), folder, std::filesystem::copy_options::recursive);
    });
  }
  ~Scratch() {
    const auto world = mpi::Comm::world();
    world.barrier();
    std::error_code ignored;
    if (world.rank() == 0) std::filesystem::remove_all(folder, ignored);
  }
};

BOOST_AUTO_TEST_CASE(a_source_that_goes_while_rows_are_read_is_an_error) {
  const auto world = mpi::Comm::world();
  const Scratch scratch;
  const auto load_without = [&](const std::string& name, const std::string& source) {
    const auto catalog = select(scan(world, {scratch.folder / name}), {"x"});
    mpi::together(world, [&] {
      if (world.rank() == 0) std::filesystem::rename(scratch.folder / source, scratch.folder / "away");
    });
    SampleSink sink(catalog, true);
    std::vector<Interval> mine{{0, catalog.samples}};
    const auto text = message_of([&] { load(world, catalog, mine, sink, {}); });
    mpi::together(world, [&] {
      if (world.rank() == 0) std::filesystem::rename(scratch.folder / "away", scratch.folder / source);
    });
    return text;
  };
  check_words(load_without("every_second.h5", "plain/odd1.h5"), {"plain/odd1.h5", "No such file"});
  check_words(load_without("through.h5", "plain/p1.h5"), {"plain/p1.h5", "No such file"});
  // A raw file that has become too short since; relative names are those of the working directory.
  const auto start = std::filesystem::current_path();
  std::filesystem::current_path(scratch.folder);
  const auto raw = select(scan(world, {"raw_relative.h5"}), {"x"});
  check_values(raw, by_formula);
  mpi::together(world, [&] {
    if (world.rank() == 0) std::filesystem::resize_file("whole.raw", 1000);
  });
  SampleSink raw_sink(raw, true);
  std::vector<Interval> all_rows{{0, raw.samples}};
  check_words(message_of([&] { load(world, raw, all_rows, raw_sink, {}); }),
              {"'x' in raw_relative.h5", "whole.raw", "has changed since it was examined", "1280 bytes then, 1000 now"});
  std::filesystem::current_path(start);
  // HDF5 looks elsewhere then, where another file has that name.
  const auto catalog = select(scan(world, {scratch.folder / "every_second.h5"}), {"x"});
  const auto before = std::filesystem::current_path();
  mpi::together(world, [&] {
    if (world.rank() != 0) return;
    std::filesystem::create_directories(scratch.folder / "other/plain");
    std::filesystem::copy(scratch.folder / "plain/odd0.h5", scratch.folder / "other/plain/odd1.h5");
  });
  std::filesystem::current_path(scratch.folder / "other");
  auto moved = catalog;  // as if it had been found under another name than HDF5 takes
  for (auto& part : moved.datasets[0].in_file[0].parts)
    if (part.found.ends_with("odd1.h5")) part.found = scratch.folder / "other/plain/odd1.h5";
  SampleSink sink(moved, true);
  std::vector<Interval> mine{{0, moved.samples}};
  check_words(message_of([&] { load(world, moved, mine, sink, {}); }),
              {"did not open its source", "other/plain/odd1.h5"});
  std::filesystem::current_path(before);
}

BOOST_AUTO_TEST_CASE(samples_that_would_come_twice_are_refused) {
  const auto world = mpi::Comm::world();
  check_words(message_of([&] {
                scan(world, {file("plain/p1.h5"), file("through.h5")});
              }),
              {"plain/p1.h5 comes twice", "by itself", "through the virtual file " + file("through.h5")});
  check_words(message_of([&] {
                scan(world, {file("nested.h5"), file("through.h5")});
              }),
              {"p0.h5 comes twice", "nested.h5", "through.h5"});
}

BOOST_AUTO_TEST_SUITE_END()
