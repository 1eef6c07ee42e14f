// Rows that go to a file of a disk and come back: every byte says which row and field it belongs to.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <random>
#include <sstream>

#include "base/error.hpp"
#include "store/file_system.hpp"
#include "store/raw_reads.hpp"
#include "store/scratch_writer.hpp"

using namespace headrace;
using namespace headrace::store;

BOOST_AUTO_TEST_SUITE(scratch)

namespace {

struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / "headrace-test-XXXXXX").string();
  Folder() { BOOST_REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
};

/// Every byte of a row but by chance another one than those of its neighbours.
std::byte mark(std::uint64_t row, std::size_t field, std::uint64_t at) {
  return static_cast<std::byte>((row * 2654435761u + field * 40503u + at * 97u) >> 7);
}

Schema schema_of(const std::vector<std::uint64_t>& bytes) {
  Schema schema;
  for (const auto one : bytes) schema.push_back({"f", DType::uint8, {one}, {}, {}});
  return schema;
}

/// Rows in memory, one array per field.
struct Columns {
  std::vector<std::vector<std::byte>> fields;
  explicit Columns(const Schema& schema, std::uint64_t rows, std::byte fill = std::byte{0xee}) {
    for (const auto& field : schema) fields.emplace_back(rows * field.row_bytes(), fill);
  }
  std::vector<std::byte*> begins() {
    std::vector<std::byte*> all;
    for (auto& field : fields) all.push_back(field.data());
    return all;
  }
};

Scratch make(const std::string& folder, const Schema& schema, std::uint64_t rows, unsigned threads = 2,
             std::uint64_t pane_rows = 1 << 30) {
  Scratch scratch{ScratchFile::create(folder, Records(schema, rows).file_bytes()), Records(schema, rows)};
  const auto grain = scratch.records.rows_a_piece(0);
  pane_rows = std::max(grain, pane_rows / grain * grain);
  ScratchWriter writer(scratch, threads);
  std::vector<Columns> panes(2, Columns(schema, std::min(rows, pane_rows)));
  for (std::uint64_t first = 0, i = 0; first < rows; first += pane_rows, ++i) {
    auto& pane = panes[i % 2];
    const auto count = std::min(pane_rows, rows - first);
    for (std::size_t f = 0; f < schema.size(); ++f)
      for (std::uint64_t row = 0; row < count; ++row)
        for (std::uint64_t at = 0; at < schema[f].row_bytes(); ++at)
          pane.fields[f][row * schema[f].row_bytes() + at] = mark(first + row, f, at);
    const auto begins = pane.begins();
    writer.write({first, count, {begins.begin(), begins.end()}});
  }
  writer.finish();
  return scratch;
}

/// Waits for as many calls as were announced.
class Arrivals {
 public:
  void arrived() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= count; });
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

std::vector<std::uint32_t> ascending(std::mt19937_64& random, std::uint64_t rows, std::size_t count) {
  std::vector<std::uint32_t> some(count);
  for (auto& row : some) row = static_cast<std::uint32_t>(random() % rows);  // some of them twice
  if (random() % 3 == 0)                                                     // neighbours
    for (std::size_t i = 0; i < count; ++i) some[i] = static_cast<std::uint32_t>((some[0] + i) % rows);
  std::sort(some.begin(), some.end());
  return some;
}

std::uint64_t wrong(const Schema& schema, const Columns& got, std::span<const std::uint32_t> rows,
                    std::span<const std::uint32_t> places) {
  std::uint64_t count = 0;
  for (std::size_t f = 0; f < schema.size(); ++f)
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::uint64_t at = 0; at < schema[f].row_bytes(); ++at)
        count += got.fields[f][(places.empty() ? i : places[i]) * schema[f].row_bytes() + at] != mark(rows[i], f, at);
  return count;
}

/// Several calls at once, from files of different sizes.
void read_back(std::mt19937_64& random, const std::vector<Scratch>& files, const Schema& schema, unsigned threads) {
  std::atomic<int> failures = 0;
  Arrivals arrivals;
  struct Asked {
    std::vector<std::uint32_t> rows, numbers, places;
    std::unique_ptr<Columns> got;
  };
  std::vector<Asked> asked(12);
  const auto most_rows = std::clamp<std::uint64_t>(1'000'000 / row_bytes(schema), 2, 60);  // each byte is looked at
  ScratchReaders readers(files, threads, [&](const std::string&) { ++failures; });
  for (auto& one : asked) {
    const auto file = random() % files.size();
    one.rows = ascending(random, files[file].records.rows(), 1 + random() % most_rows);
    one.got = std::make_unique<Columns>(schema, one.rows.size());
    const auto first = static_cast<std::uint32_t>(random() % 1000);
    for (const auto row : one.rows) one.numbers.push_back(row + first);
    if (random() % 2) {
      for (std::uint32_t i = 0; i < one.rows.size(); ++i) one.places.push_back(i);
      std::shuffle(one.places.begin(), one.places.end(), random);
    }
    const auto begins = one.got->begins();
    readers.read(file, {.rows = one.numbers, .first_row = first, .places = one.places, .fields = begins},
                 [&] { arrivals.arrived(); });
    one.numbers.assign(one.numbers.size(), 0);  // what a call is given need not outlive it
  }
  BOOST_TEST(arrivals.wait_for(static_cast<int>(asked.size())));
  readers.stop();
  BOOST_TEST(arrivals.count() == static_cast<int>(asked.size()));
  BOOST_TEST(failures == 0);
  for (const auto& one : asked) BOOST_TEST(wrong(schema, *one.got, one.rows, one.places) == 0u);
  BOOST_TEST(readers.figures().reads > 0u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_come_back_as_they_went) {
  std::mt19937_64 random(11);
  const Folder folder;
  const std::vector<std::vector<std::uint64_t>> kinds{
      {24},                 // packed
      {1000, 3, 0, 8},      // packed, and no multiple of anything
      {2000, 100},          // sectors
      {4096},               // exactly one page
      {60000, 8540, 1},     // as large samples are
      {300000, 5, 700001},  // larger than one read
      {ScratchReaders::most_read},
  };
  for (const auto& bytes : kinds) {
    const auto schema = schema_of(bytes);
    const auto record = row_bytes(schema);
    std::vector<Scratch> files;
    for (const std::uint64_t rows : {1, 700})
      files.push_back(make(folder.path, schema, rows == 1 ? 1 : std::clamp<std::uint64_t>(1000000 / record, 3, rows),
                           1 + random() % 3, 1 + random() % 300));
    for (const unsigned threads : {1, 7}) read_back(random, files, schema, threads);
  }
}

BOOST_AUTO_TEST_CASE(pieces_are_written_by_several) {
  const Folder folder;
  std::mt19937_64 random(3);
  const auto schema = schema_of({60000, 8540});
  std::vector<Scratch> files;
  files.push_back(make(folder.path, schema, 130, 3));  // 9 MB: three pieces
  read_back(random, files, schema, 4);
}

BOOST_AUTO_TEST_CASE(through_the_page_cache_too) {
  const Folder folder;
  std::mt19937_64 random(4);
  const auto schema = schema_of({3001, 17});
  auto direct = make(folder.path, schema, 100);
  auto fd = direct.file.fd().duplicate();
  const auto flags = fcntl(fd.get(), F_GETFL);
  BOOST_TEST(fcntl(fd.get(), F_SETFL, flags & ~O_DIRECT) == 0);
  std::vector<Scratch> files;
  files.push_back({ScratchFile(std::move(fd), folder.path), direct.records});
  BOOST_TEST(!files[0].file.direct());
  read_back(random, files, schema, 4);
}

BOOST_AUTO_TEST_CASE(nothing_stands_in_the_folder) {
  const Folder folder;
  const auto made = make(folder.path, schema_of({5000}), 50);
  BOOST_TEST(std::filesystem::is_empty(folder.path));
  BOOST_TEST(made.file.bytes() == made.records.file_bytes());
}

BOOST_AUTO_TEST_CASE(a_file_that_ends_early_is_told_once_and_its_rows_never_come) {
  const Folder folder;
  const auto schema = schema_of({5000});
  std::vector<Scratch> files;
  files.push_back(make(folder.path, schema, 50));
  BOOST_TEST(ftruncate(files[0].file.fd().get(), 4096) == 0);
  std::vector<std::string> told;
  Arrivals failures, arrivals;
  ScratchReaders readers(files, 3, [&](const std::string& what) {
    told.push_back(what);
    failures.arrived();
  });
  Columns got(schema, 3);
  const auto begins = got.begins();
  for (const std::uint32_t row : {10, 20, 30}) {
    const std::array rows{row};
    readers.read(0, {.rows = rows, .fields = begins}, [&] { arrivals.arrived(); });
  }
  BOOST_TEST(failures.wait_for(1));
  readers.stop();
  BOOST_TEST(failures.count() == 1);
  BOOST_TEST(arrivals.count() == 0);
  BOOST_TEST(told.at(0).find("cannot read samples on the disk of scratch = " + folder.path +
                             " (the file ends before them)") == 0u);
}

BOOST_AUTO_TEST_CASE(after_the_end_nothing_is_read) {
  const Folder folder;
  const auto schema = schema_of({100});
  std::vector<Scratch> files;
  files.push_back(make(folder.path, schema, 50));
  Arrivals arrivals;
  ScratchReaders readers(files, 2, [&](const std::string&) { arrivals.arrived(); });
  readers.stop();
  Columns got(schema, 1);
  const auto begins = got.begins();
  const std::array<std::uint32_t, 1> rows{7};
  readers.read(0, {.rows = rows, .fields = begins}, [&] { arrivals.arrived(); });
  BOOST_TEST(arrivals.count() == 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_said_at_once) {
  const auto says = [](const std::string& folder, std::uint64_t bytes, const std::string& part) {
    try {
      ScratchFile::create(folder, bytes);
    } catch (const Error& error) {
      BOOST_TEST_INFO(error.what());
      return std::string(error.what()).find(part) != std::string::npos;
    }
    return false;
  };
  const Folder folder;
  BOOST_TEST(says(folder.path + "/none", 4096, "no file can be made there (No such file or directory)"));
  const auto free = file_system_of(folder.path).free_bytes;
  BOOST_TEST(says(folder.path, free + (1 << 30), "do not fit there (too little room"));
  BOOST_CHECK_THROW(file_system_of(folder.path + "/none"), Error);
}

BOOST_AUTO_TEST_CASE(raw_reads_count_what_they_read) {
  const Folder folder;
  for (const std::uint64_t bytes : {100, 5000, 700000}) {
    const auto schema = schema_of({bytes});
    std::vector<Scratch> files;
    files.push_back(make(folder.path, schema, 4));
    const std::vector<RowOfFile> rows{{0, 3}, {0, 0}, {0, 2}};
    const auto rate = read_raw(files, rows, 4, 1e9);
    BOOST_TEST(rate.bytes == 3 * bytes);
    BOOST_TEST(rate.reads == (bytes > ScratchReaders::most_read ? 9u : 3u));
    BOOST_TEST(read_raw_pieces(files[0], 2, 1e9).bytes >= files[0].file.bytes());
    BOOST_TEST(read_raw(files, rows, 4, 0).reads == 0u);
  }
}

BOOST_AUTO_TEST_CASE(kinds_of_file_systems) {
  using Kind = FileSystem::Kind;
  const auto is = [](std::uint64_t type, Kind kind, const std::string& name) {
    const auto found = file_system_of_type(type);
    return found.kind == kind && found.name == name;
  };
  BOOST_TEST(is(0xef53, Kind::local, "ext4"));
  BOOST_TEST(is(0x01021994, Kind::memory, "tmpfs"));
  BOOST_TEST(is(0x6969, Kind::network, "NFS"));
  BOOST_TEST(is(0x0bd00bd0, Kind::network, "Lustre"));
  BOOST_TEST(is(0x47504653, Kind::network, "GPFS"));
  BOOST_TEST(is(0x1234, Kind::local, "a file system of type 0x1234"));
  BOOST_TEST((file_system_of("/proc").kind == Kind::local));
}

BOOST_AUTO_TEST_CASE(the_layer_that_an_overlay_is_written_to) {
  const std::string mounts =
      "22 28 0:20 / /proc rw - proc proc rw\n"
      "40 28 0:44 / /work rw,relatime shared:7 - overlay overlay rw,lowerdir=/a:/b,upperdir=/run/up\\040per,workdir=/w\n"
      "41 28 0:45 / /other rw - overlay overlay rw,lowerdir=/a:/b\n";
  const auto upper = [&](unsigned minor_number) {
    std::istringstream in(mounts);
    return upper_folder(in, 0, minor_number);
  };
  BOOST_TEST(upper(44) == "/run/up per");
  BOOST_TEST(upper(45).empty());  // it is read only
  BOOST_TEST(upper(20).empty());
  BOOST_TEST(upper(99).empty());
}

BOOST_AUTO_TEST_SUITE_END()
