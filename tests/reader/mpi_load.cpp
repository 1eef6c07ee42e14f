// Every way of reading against the formula that h5py's files were made from, on any number of ranks.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "../h5/formula.hpp"
#include "reader/load.hpp"
#include "reader/sample_sink.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::reader;

BOOST_AUTO_TEST_SUITE(load_ways)

/// Disjoint shares of [0, n) that together are all of it.
enum class Shares { even, last_only, stripes, alone };

static std::vector<Interval> share(Shares how, std::uint64_t n, const mpi::Comm& comm) {
  const auto rank = static_cast<std::uint64_t>(comm.rank()), ranks = static_cast<std::uint64_t>(comm.size());
  std::vector<Interval> mine;
  if (how == Shares::even) mine.push_back({n * rank / ranks, n * (rank + 1) / ranks});
  if (how == Shares::last_only && rank + 1 == ranks) mine.push_back({0, n});
  if (how == Shares::alone) mine = {{0, n / 3}, {n / 2, n}};
  if (how == Shares::stripes)
    for (std::uint64_t first = 7 * rank; first < n; first += 7 * ranks) mine.push_back({first, std::min(n, first + 7)});
  return mine;
}

static bool holds(const std::vector<Interval>& mine, std::uint64_t sample) {
  return std::any_of(mine.begin(), mine.end(), [&](const Interval& i) { return i.first <= sample && sample < i.last; });
}

/// What the formula says, for a dataset of that seed.
static double expected(const DatasetInfo& info, std::uint64_t seed, std::uint64_t sample, std::uint64_t element) {
  const auto n = formula(seed, sample, element);
  const auto type = info.element().dtype;
  if (type == DType::boolean) return static_cast<double>(n % 2);
  const bool is_signed = type == DType::int8 || type == DType::int16 || type == DType::int32 || type == DType::int64;
  return static_cast<double>(is_signed ? n - 125 : n);
}

using Seeds = std::vector<std::uint64_t>;

/// Loads with every combination of io, sink and threads, and compares each element.
static void check_all_ways(const Catalog& catalog, const Seeds& seeds) {
  const auto world = mpi::Comm::world();
  for (const auto io : {Io::automatic, Io::direct, Io::collective})
    for (const bool in_place : {true, false})
      for (const unsigned threads : {1u, 3u})
        for (const auto how : {Shares::even, Shares::last_only, Shares::stripes, Shares::alone}) {
          const bool alone = how == Shares::alone;
          if (alone && io != Io::collective) continue;  // it takes the direct ways, whatever is asked
          const auto mine = share(how, catalog.samples, world);
          SampleSink sink(catalog, in_place);
          LoadOptions options;
          options.io = io;
          options.threads = threads;
          options.slice_bytes = 3000;  // many rounds
          std::uint64_t told = 0;
          options.progress = [&](std::uint64_t done, std::uint64_t) { told = done; };
          options.pass_by = alone;
          if (alone && world.rank() > 0) continue;  // nobody waits for anybody
          const auto report =
              alone ? load_alone(catalog, mine, sink, options) : load(world, catalog, mine, sink, options);
          BOOST_TEST(told == report.bytes);
          std::uint64_t wrong = 0, strayed = 0, repeated = 0;
          for (std::size_t d = 0; d < catalog.datasets.size(); ++d) {
            const auto& info = catalog.datasets[d];
            const auto elements = info.row_bytes / size_of(info.element().dtype);
            for (std::uint64_t s = 0; s < catalog.samples; ++s) {
              if (!holds(mine, s)) {
                strayed += sink.touched(d, s);
                continue;
              }
              repeated += sink.accepted(d, s) != (in_place ? 0u : 1u);
              for (std::uint64_t e = 0; e < elements; ++e)
                wrong += sink.value(d, s, e) != expected(info, seeds[d], s, e);
            }
          }
          const auto what = "io " + std::to_string(static_cast<int>(io)) + " in place " + std::to_string(in_place) +
                            " threads " + std::to_string(threads) + " shares " + std::to_string(static_cast<int>(how));
          BOOST_TEST(wrong == 0u, what);
          BOOST_TEST(strayed == 0u, what);
          BOOST_TEST(repeated == 0u, what);
        }
}

BOOST_AUTO_TEST_CASE(every_type) {
  const auto world = mpi::Comm::world();
  const auto contents = scan(world, {fixture("types.h5")});
  const std::vector<std::string> names{"i1_le", "u1_le", "i2_le", "i2_be", "u2_le", "u2_be", "i4_le",
                                       "i4_be", "u4_le", "u4_be", "i8_le", "i8_be", "u8_le", "u8_be",
                                       "f2_le", "f2_be", "f4_le", "f4_be", "f8_le", "f8_be", "flag"};
  Seeds seeds;
  for (std::uint64_t seed = 0; seed < 20; ++seed) seeds.push_back(seed);
  seeds.push_back(50);
  check_all_ways(select(contents, names), seeds);
}

BOOST_AUTO_TEST_CASE(every_layout) {
  const auto world = mpi::Comm::world();
  const auto contents = scan(world, {fixture("layouts.h5")});
  std::vector<std::string> names;
  Seeds seeds;
  for (const char* name : {"a_contiguous", "b_chunks", "c_gzip_shuffle", "d_lzf", "e_fletcher32", "f_parts",
                           "g_one_sample", "h_all_in_one", "i_inner", "j_beyond", "k_fletcher_plain", "l_lzf_plain"}) {
    seeds.push_back(100 + names.size());
    names.push_back("/deep/er/" + std::string(name));
  }
  names.insert(names.end(), {"scaled", "compact"});
  seeds.insert(seeds.end(), {120, 140});
  check_all_ways(select(contents, names), seeds);
}

BOOST_AUTO_TEST_CASE(every_filter) {
  const auto world = mpi::Comm::world();
  const auto contents = scan(world, {fixture("filters.h5")});
  const std::vector<std::string> names{"lz4",         "lz4_blocks", "zstd",        "bzip2",          "bits",
                                       "bits_lz4",    "bits_zstd",  "bits_blocks", "blosc_blosclz",  "blosc_lz4",
                                       "blosc_lz4hc", "blosc_zlib", "blosc_zstd",  "blosc2_blosclz", "blosc2_lz4",
                                       "blosc2_zstd", "szip",       "szip_ec"};
  Seeds seeds;
  for (std::uint64_t k = 0; k < names.size(); ++k) seeds.push_back(300 + k);
  const auto catalog = select(contents, names);
  check_all_ways(catalog, seeds);
  SampleSink sink(catalog, true);
  for (const auto& dataset : load(world, catalog, share(Shares::even, 107, world), sink, {}).datasets)
    BOOST_TEST((dataset.way == Way::chunks), dataset.text);  // by all threads
}

BOOST_AUTO_TEST_CASE(chunks_at_the_border_without_filters) {
  const auto world = mpi::Comm::world();
  const auto catalog = select(scan(world, {fixture("borders.h5")}), {"x"});
  check_all_ways(catalog, {330});
  SampleSink sink(catalog, true);
  BOOST_TEST((load(world, catalog, share(Shares::even, 107, world), sink, {}).datasets[0].way == Way::chunks));
}

BOOST_AUTO_TEST_CASE(every_index_of_chunks) {
  const auto world = mpi::Comm::world();
  for (const auto* name : {"indexes.h5", "indexes_new_block.h5"}) {
    const auto contents = scan(world, {fixture(name)});
    check_all_ways(select(contents, {"implicit", "single_600", "fixed_9", "extensible_50_gzip", "btree2_many_1_gzip"}),
                   {399, 400, 404, 409, 419});
  }
}

BOOST_AUTO_TEST_CASE(several_files_with_an_empty_one) {
  const auto world = mpi::Comm::world();
  const auto contents = scan(world, {fixture("part_a.h5"), fixture("part_b.h5"), fixture("part_c.h5")});
  check_all_ways(select(contents, {"x", "y"}), {1, 2});
}

/// Elements of x by sample, whatever type they have in their file; -1 where none came.
class AnyTypeSink : public Sink {
 public:
  AnyTypeSink(const Catalog& catalog, bool in_place) : catalog_(catalog), in_place_(in_place) {
    for (std::uint64_t s = 0; s < catalog.samples; ++s) rows_.emplace_back(catalog.row_bytes_at(0, s), std::byte{0xee});
    seconds_.resize(catalog.samples);
  }
  std::byte* place(std::size_t dataset, std::uint64_t first, std::uint64_t rows) override {
    if (dataset == 0) return in_place_ && rows == 1 ? rows_[first].data() : nullptr;
    return in_place_ ? reinterpret_cast<std::byte*>(seconds_.data() + first) : nullptr;
  }
  void accept(std::size_t dataset, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    for (std::uint64_t i = 0; i < rows; ++i) {
      const auto bytes = catalog_.row_bytes_at(dataset, first);
      auto* to = dataset == 0 ? rows_[first + i].data() : reinterpret_cast<std::byte*>(&seconds_[first + i]);
      std::copy_n(raw + i * bytes, bytes, to);
    }
  }
  double x(std::uint64_t sample, std::uint64_t element) const {
    const auto type = *element_of(catalog_.datasets[0].in_file[catalog_.file_of(sample)].type);
    std::array<std::byte, 8> raw{};
    const auto size = size_of(type.dtype);
    std::copy_n(rows_[sample].data() + element * size, size, raw.data());
    if (type.big_endian) std::reverse(raw.data(), raw.data() + size);
    const auto as = [&](auto value) {
      std::memcpy(&value, raw.data(), sizeof value);
      return static_cast<double>(value);
    };
    return type.dtype == DType::float32 ? as(0.0f) : type.dtype == DType::float64 ? as(0.0) : as(std::int16_t{0});
  }
  std::uint32_t y(std::uint64_t sample) const { return seconds_[sample]; }

 private:
  const Catalog& catalog_;
  bool in_place_;
  std::vector<std::vector<std::byte>> rows_;
  std::vector<std::uint32_t> seconds_;
};

BOOST_AUTO_TEST_CASE(files_whose_rows_are_of_other_types_or_missing) {
  const auto world = mpi::Comm::world();
  const auto contents =
      scan(world, {fixture("unlike_a.h5"), fixture("unlike_b.h5"), fixture("unlike_c.h5"), fixture("unlike_d.h5")});
  const auto catalog = select(contents, {"x", "y"}, {"x"});
  BOOST_TEST(catalog.samples == 77u);
  for (const auto io : {Io::automatic, Io::direct, Io::collective})
    for (const bool in_place : {true, false})
      for (const auto how : {Shares::even, Shares::last_only, Shares::stripes}) {
        const auto mine = share(how, catalog.samples, world);
        AnyTypeSink sink(catalog, in_place);
        LoadOptions options;
        options.io = io;
        options.slice_bytes = 200;
        std::uint64_t told = 0, wrong = 0;
        options.progress = [&](std::uint64_t done, std::uint64_t) { told = done; };
        const auto report = load(world, catalog, mine, sink, options);
        BOOST_TEST(told == report.bytes);
        for (std::uint64_t s = 0; s < catalog.samples; ++s) {
          if (!holds(mine, s)) continue;
          wrong += sink.y(s) != static_cast<std::uint32_t>(formula(12, s, 0));
          for (std::uint64_t e = 0; e < 3 && !catalog.lacks("x", catalog.file_of(s)); ++e)
            wrong += sink.x(s, e) != static_cast<double>(formula(11, s, e));
        }
        BOOST_TEST(wrong == 0u);
      }
}

BOOST_AUTO_TEST_CASE(behind_a_user_block) {
  const auto world = mpi::Comm::world();
  const auto contents = scan(world, {fixture("block.h5")});
  check_all_ways(select(contents, {"x"}), {6});
  const auto nothing = select(contents, {"nothing"});  // HDF5 1.10 names a place for it
  SampleSink sink(nothing, true);
  load(world, nothing, {{{0, 50}}}, sink, {});
  for (std::uint64_t s = 0; s < 50; ++s) BOOST_TEST(sink.value(0, s, 2) == 4.5);
}

BOOST_AUTO_TEST_CASE(from_a_virtual_dataset) {
  const auto world = mpi::Comm::world();
  check_all_ways(select(scan(world, {fixture("virtual.h5")}), {"x"}), {6});
}

BOOST_AUTO_TEST_CASE(through_links) {
  const auto world = mpi::Comm::world();
  check_all_ways(select(scan(world, {fixture("master.h5")}), {}), {6});
  check_all_ways(select(scan(world, {fixture("odd.h5")}), {"group/soft"}), {9});
}

BOOST_AUTO_TEST_CASE(where_nothing_was_written_stands_the_fill_value) {
  const auto world = mpi::Comm::world();
  const auto catalog = select(scan(world, {fixture("layouts.h5")}), {"never_written", "holes"});
  for (const auto io : {Io::direct, Io::collective}) {
    const auto mine = share(Shares::even, catalog.samples, world);
    SampleSink sink(catalog, false);
    LoadOptions options;
    options.io = io;
    load(world, catalog, mine, sink, options);
    std::uint64_t wrong = 0;
    for (std::uint64_t s = mine[0].first; s < mine[0].last; ++s)
      for (std::uint64_t e = 0; e < 3; ++e) {
        wrong += sink.value(0, s, e) != 7.5;
        wrong += sink.value(1, s, e) != (s >= 20 && s < 40 ? static_cast<double>(formula(130, s, e)) : -2.0);
      }
    BOOST_TEST(wrong == 0u);
  }
}

BOOST_AUTO_TEST_CASE(chunks_that_filters_could_not_shrink) {
  const auto world = mpi::Comm::world();
  const auto catalog = select(scan(world, {fixture("layouts.h5")}), {"noise", "noise_plain", "noise_gzip"});
  const auto filtered = scan(world, {fixture("filters.h5")});
  std::vector<std::string> noises{"noise"};
  for (const auto& dataset : filtered[0].datasets)
    if (dataset.path.starts_with("noise_")) noises.push_back(dataset.path);
  const auto all = select(filtered, noises);
  SampleSink every(all, true);
  load(world, all, share(Shares::stripes, all.samples, world), every, {});
  for (std::size_t d = 1; d < noises.size(); ++d) BOOST_TEST((every.bytes(d) == every.bytes(0)), noises[d]);
  for (const auto io : {Io::direct, Io::collective}) {
    SampleSink sink(catalog, true);
    LoadOptions options;
    options.io = io;
    load(world, catalog, share(Shares::stripes, catalog.samples, world), sink, options);
    BOOST_TEST((sink.bytes(0) == sink.bytes(1)));
    BOOST_TEST((sink.bytes(2) == sink.bytes(1)));
  }
}

/// One load, with the rows shared out evenly.
static LoadReport load_evenly(const Catalog& catalog, Io io, SampleSink& sink) {
  const auto world = mpi::Comm::world();
  LoadOptions options;
  options.io = io;
  options.slice_bytes = 100;
  return load(world, catalog, share(Shares::even, catalog.samples, world), sink, options);
}

BOOST_AUTO_TEST_CASE(collective_reads_are_collective) {
  const auto world = mpi::Comm::world();
  const auto catalog = select(scan(world, {fixture("layouts.h5")}),
                              {"deep/er/a_contiguous", "deep/er/b_chunks", "deep/er/i_inner", "compact"});
  SampleSink sink(catalog, true);
  const auto report = load_evenly(catalog, Io::collective, sink);
  for (std::size_t d = 0; d < 3; ++d) BOOST_TEST(report.datasets[d].collective, report.datasets[d].text);
  BOOST_TEST(!report.datasets[3].collective);
  const auto direct = load_evenly(catalog, Io::direct, sink);
  BOOST_TEST((direct.datasets[0].way == Way::plain));
  BOOST_TEST((direct.datasets[1].way == Way::chunks));
  BOOST_TEST((direct.datasets[3].way == Way::library));
}

static void check_partly(const std::string& file) {
  const auto world = mpi::Comm::world();
  const auto contents = scan(world, {fixture(file)});
  const std::vector<std::string> names{"some_chunks", "all_chunks",      "half_tiles", "raw_chunk",
                                       "nothing",     "nothing_chunked", "raw_rows"};
  const auto catalog = select(contents, names);
  SampleSink sink(catalog, true);
  const auto report = load_evenly(catalog, Io::collective, sink);
  const std::vector<std::string> texts{
      "decoded chunks (chunked; not read collectively: not all of it was written)",
      "collective H5Dread (as asked)",
      "decoded chunks (chunked; not read collectively: not all of it was written)",
      "decoded chunks (chunked, lzf; not read collectively: filtered)",
      "H5Dread (nothing was written; not read collectively: not all of it was written)",
      "decoded chunks (chunked; not read collectively: not all of it was written)",
      "collective H5Dread (as asked)"};
  for (std::size_t d = 0; d < texts.size(); ++d) BOOST_TEST(report.datasets[d].text == texts[d]);
  std::uint64_t wrong = 0;
  const auto mine = share(Shares::even, catalog.samples, world)[0];
  for (auto s = mine.first; s < mine.last; ++s) {
    for (std::uint64_t e = 0; e < 4; ++e) {
      wrong += sink.value(0, s, e) != (s < 30 ? static_cast<double>(formula(200, s, e) - 125) : -9);
      wrong += sink.value(1, s, e) != static_cast<double>(formula(201, s, e) - 125);
      wrong += sink.value(2, s, e) != (s < 40 ? static_cast<double>(formula(202, s, e) - 125) : -9);
    }
    wrong += sink.value(3, s, 0) != sink.value(6, s, 0);
    wrong += sink.value(4, s, 0) != 2.5;
    wrong += sink.value(5, s, 0) != 3.5;
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(what_hdf5_cannot_be_trusted_with_is_not_read_collectively) {
  check_partly("partly.h5");
  check_partly("partly_new.h5");
}

// A rank without rows, and one whose row HDF5 fills in by itself.
BOOST_AUTO_TEST_CASE(one_row_that_was_never_written) {
  const auto world = mpi::Comm::world();
  const auto catalog = select(scan(world, {fixture("one_row.h5")}), {"nothing"});
  SampleSink sink(catalog, true);
  load_evenly(catalog, Io::collective, sink);
  if (world.rank() + 1 == world.size()) BOOST_TEST(sink.value(0, 0, 0) == 2.5);
}

BOOST_AUTO_TEST_SUITE_END()
