// Files that fail: all ranks leave with the same words, and none waits for ever.
#include <sys/resource.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>

#include "../h5/formula.hpp"
#include "catalog/damage.hpp"
#include "catalog/examiner.hpp"
#include "reader/load.hpp"
#include "reader/sample_sink.hpp"
#include "reader/synthetic.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::reader;

BOOST_AUTO_TEST_SUITE(failures)

template <class F>
static std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// Every rank says the same, and it holds these words.
static void all_say(const mpi::Comm& world, const std::string& text, const std::vector<std::string>& words) {
  for (const auto& other : world.allgather(text)) BOOST_TEST(other == text);
  for (const auto& word : words) BOOST_TEST(text.find(word) != std::string::npos, "'" << word << "' in: " << text);
}

static std::vector<Interval> even(std::uint64_t n, const mpi::Comm& comm) {
  const auto rank = static_cast<std::uint64_t>(comm.rank()), ranks = static_cast<std::uint64_t>(comm.size());
  return {{n * rank / ranks, n * (rank + 1) / ranks}};
}

static std::string load_message(const mpi::Comm& world, const Catalog& catalog, Io io, bool in_place,
                                unsigned threads) {
  SampleSink sink(catalog, in_place);
  LoadOptions options;
  options.io = io;
  options.threads = threads;
  options.slice_bytes = 1 << 12;
  return message_of([&] { load(world, catalog, even(catalog.samples, world), sink, options); });
}

BOOST_AUTO_TEST_CASE(scan_of_a_bad_file_among_good_ones) {
  const auto world = mpi::Comm::world();
  const auto message = [&](const std::string& bad) {
    return message_of([&] { scan(world, {fixture("part_a.h5"), fixture(bad), fixture("part_c.h5")}); });
  };
  all_say(world, message("no_such.h5"), {"no_such.h5", "no such file"});
  all_say(world, message("truncated.h5"), {"truncated.h5", "cut short"});
  all_say(world, message("text.h5"), {"text.h5", "not an HDF5 file"});
}

/// Told by all where one of them had the file to look at; and who has none starts no process.
BOOST_AUTO_TEST_CASE(scan_of_a_file_that_crashes_hdf5) {
  const auto world = mpi::Comm::world();
  const auto folder =
      world.bcast((std::filesystem::temp_directory_path() / "headrace-crash-").string() + std::to_string(getpid()));
  std::string bad;
  if (world.rank() == 0) bad = write_damage(folder, "crash", bad::crash);
  bad = world.bcast(bad);
  examine_by(ExaminerProgram{.path = EXAMINE_FILES});
  all_say(world, message_of([&] {
            scan(world, {fixture("part_a.h5"), fixture("part_c.h5"), bad});
          }),
          {"cannot read " + bad, "its dataset 'bad'", "SIGSEGV"});
  examine_by(ExaminerProgram{.path = world.rank() == 0 ? EXAMINE_FILES : "/no/such/program"});
  all_say(world, message_of([&] { scan(world, {fixture("part_a.h5")}); }), {"no error"});
  examine_by(std::nullopt);
  if (world.rank() == 0) std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(scan_is_the_same_everywhere) {
  const auto world = mpi::Comm::world();
  const std::vector<std::string> files{fixture("part_c.h5"), fixture("types.h5"), fixture("odd.h5"),
                                       fixture("part_a.h5")};
  const auto contents = scan(world, files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    BOOST_TEST(contents[i].path == files[i]);
    BOOST_TEST((contents[i].datasets == examine(files[i]).datasets));
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_under_a_checksum) {
  const auto world = mpi::Comm::world();
  const auto catalog = select(scan(world, {fixture("flipped.h5")}), {"x"});
  for (const auto io : {Io::direct, Io::collective})
    for (const unsigned threads : {1u, 3u})
      all_say(world, load_message(world, catalog, io, true, threads), {"cannot read rows", "'x'", "flipped.h5"});
}

/// A file of its own for each run, made by rank 0's number and gone at the end.
struct Scratch {
  explicit Scratch(const mpi::Comm& world)
      : comm(world),
        path((std::filesystem::temp_directory_path() /
              ("headrace-test-" + world.bcast(std::to_string(::getpid())) + ".h5"))
                 .string()) {}
  ~Scratch() {
    std::error_code ignored;
    if (comm.rank() == 0) std::filesystem::remove(path, ignored);
  }
  const mpi::Comm& comm;
  std::string path;
};

BOOST_AUTO_TEST_CASE(a_file_that_shrinks_or_goes) {
  const auto world = mpi::Comm::world();
  const Scratch scratch(world);
  write_synthetic(world, scratch.path, 1000, 256);
  const auto catalog = select(scan(world, {scratch.path}), {});
  BOOST_TEST(load_message(world, catalog, Io::direct, true, 2) == "no error");
  world.barrier();
  if (world.rank() == 0) std::filesystem::resize_file(scratch.path, catalog.files[0].bytes - 1000);
  world.barrier();
  all_say(world, load_message(world, catalog, Io::direct, true, 2),
          {scratch.path, "has changed since it was examined"});
  auto unaware = catalog;  // as if it shrank after the check at opening
  unaware.files[0].bytes -= 1000;
  for (const bool in_place : {true, false})
    all_say(world, load_message(world, unaware, Io::direct, in_place, 2), {scratch.path, "the file ends at byte"});
  all_say(world, load_message(world, catalog, Io::collective, true, 1), {scratch.path, "has changed"});
  if (world.rank() == 0) std::filesystem::remove(scratch.path);
  world.barrier();
  all_say(world, load_message(world, catalog, Io::direct, true, 2), {scratch.path, "No such file"});
}

/// Cuts the end off the file as soon as the first rows have come.
class SpoilSport : public SampleSink {
 public:
  SpoilSport(const Catalog& catalog, const std::string& path)
      : SampleSink(catalog, false), path_(path), bytes_(std::filesystem::file_size(path)) {}
  void accept(std::size_t dataset, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    std::filesystem::resize_file(path_, bytes_ - 8);
    SampleSink::accept(dataset, first, rows, raw);
  }

 private:
  std::string path_;
  std::uintmax_t bytes_;
};

BOOST_AUTO_TEST_CASE(a_file_that_shrinks_while_hdf5_reads_it) {
  const auto world = mpi::Comm::world();
  for (const auto io : {Io::direct, Io::collective}) {
    const Scratch scratch(world);
    if (world.rank() == 0)
      std::filesystem::copy_file(fixture("tail.h5"), scratch.path, std::filesystem::copy_options::overwrite_existing);
    world.barrier();
    const auto catalog = select(scan(world, {scratch.path}), {"x"});
    SpoilSport sink(catalog, scratch.path);
    LoadOptions options;
    options.io = io;
    options.slice_bytes = 160;
    all_say(world, message_of([&] { load(world, catalog, even(50, world), sink, options); }),
            {scratch.path, "has changed"});
    world.barrier();
  }
}

/// Rewrites the first file in place, as long as it was, while its rows are on their way; the reader has long gone on to
/// the next one by then.
class Rewriter : public SampleSink {
 public:
  explicit Rewriter(const Catalog& catalog) : SampleSink(catalog, false), catalog_(catalog) {}
  void accept(std::size_t dataset, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    const auto& file = catalog_.files[0];
    if (first >= file.samples) {
      std::call_once(once_, [&] { next_.set_value(); });
    } else {
      next_.get_future().wait();
      std::fstream(file.path, std::ios::in | std::ios::out | std::ios::binary).seekp(-8, std::ios::end) << "overturn";
      std::filesystem::last_write_time(file.path,
                                       std::filesystem::last_write_time(file.path) + std::chrono::seconds(100));
    }
    SampleSink::accept(dataset, first, rows, raw);
  }

 private:
  const Catalog& catalog_;
  std::once_flag once_;
  std::promise<void> next_;
};

BOOST_AUTO_TEST_CASE(a_file_that_is_rewritten_while_others_are_begun) {
  const auto world = mpi::Comm::world(), self = mpi::Comm::self();
  const Scratch scratch(world);
  const auto mine = scratch.path + "." + std::to_string(world.rank());
  const std::vector<std::string> files{mine + ".a", mine + ".b"};
  for (const auto& file : files) write_synthetic(self, file, 100, 256);
  const auto catalog = select(scan(self, files), {});
  const std::vector<Interval> all{{0, 200}};
  for (const bool alone : {true, false}) {
    const auto before = std::filesystem::last_write_time(files[0]);
    Rewriter sink(catalog);
    LoadOptions options;
    options.threads = 3;  // two helpers: one holds rows of the first file, the other brings those of the second
    const auto said =
        message_of([&] { alone ? load_alone(catalog, all, sink, options) : load(self, catalog, all, sink, options); });
    BOOST_TEST(said.find(files[0]) != std::string::npos, said);
    BOOST_TEST(said.find("has changed since it was examined") != std::string::npos, said);
    std::filesystem::last_write_time(files[0], before);
  }
  for (const auto& file : files) std::filesystem::remove(file);
  world.barrier();
}

/// Lets no file be opened any more.
class Miser : public SampleSink {
 public:
  explicit Miser(const Catalog& catalog) : SampleSink(catalog, false) { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~Miser() override { ::setrlimit(RLIMIT_NOFILE, &before_); }
  void accept(std::size_t dataset, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    auto none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
    SampleSink::accept(dataset, first, rows, raw);
  }

 private:
  rlimit before_{};
};

BOOST_AUTO_TEST_CASE(what_was_read_need_not_be_forgotten) {
  const auto catalog = select(scan(mpi::Comm::self(), {fixture("layouts.h5")}), {"compact"});
  const std::vector<Interval> all{{0, catalog.samples}};
  Miser sink(catalog);
  LoadOptions options;
  options.pass_by = true;
  BOOST_TEST(message_of([&] { load_alone(catalog, all, sink, options); }) == "no error");
}

BOOST_AUTO_TEST_CASE(synthetic_rows_are_what_the_formula_says) {
  const auto world = mpi::Comm::world();
  const Scratch scratch(world);
  for (const std::uint64_t row_bytes : {512u, 7u, 4096u, 20000000u}) {
    const std::uint64_t rows = row_bytes > 5000 ? 3 : 1001;
    write_synthetic(world, scratch.path, rows, row_bytes);
    const auto catalog = select(scan(world, {scratch.path}), {"data"});
    BOOST_TEST(catalog.samples == rows);
    BOOST_TEST(catalog.row_bytes() == row_bytes);
    SampleSink sink(catalog, row_bytes != 4096);  // 4096: many strips that are converted on the way
    const auto mine = even(rows, world);
    load(world, catalog, mine, sink, {});
    const bool floats = row_bytes % 4 == 0;
    std::uint64_t wrong = 0;
    for (auto s = mine[0].first; s < mine[0].last; ++s)
      for (std::uint64_t c = 0; c<row_bytes / (floats ? 4 : 1); c += row_bytes> 1000 ? 997 : 1)
        wrong += sink.value(0, s, c) != (floats ? synthetic_value(s, c) : synthetic_value(s, c) & 0xff);
    BOOST_TEST(wrong == 0u);
    world.barrier();
  }
}

BOOST_AUTO_TEST_SUITE_END()
