// mpirun -n 5 read_files FOLDER FIRST_SEED COUNT: reads what make_files.py made there, by groups of 1 to 5 of the ranks
// and in every way, and compares each byte. Prints the seeds that fail; exit code 1 if any did.
#include <hdf5.h>
#include <mpi.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mpi/patience.hpp"
#include "reader/load.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::reader;

namespace {

/// One dataset of make_files.py.
struct Expected {
  std::string path, made;
  std::uint64_t rows, elements, item;
  bool lists;
  std::vector<std::string> row;  ///< as they stand in the file N.raw
};

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("no " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Expected> expected_of(const std::string& folder, std::uint64_t seed) {
  const auto raw = contents_of(folder + "/" + std::to_string(seed) + ".raw");
  std::vector<Expected> all;
  for (const auto& told : nlohmann::json::parse(contents_of(folder + "/" + std::to_string(seed) + ".json"))) {
    Expected e{told["path"], told["made"], told["rows"], told["elements"], told["item"], told["lists"], {}};
    auto at = told["begin"].get<std::size_t>();
    for (std::uint64_t r = 0; r < e.rows; ++r) {
      const auto begin = at;
      for (std::uint64_t i = 0; i < e.elements; ++i) {
        std::uint32_t length = 0;
        if (e.lists) std::memcpy(&length, raw.data() + at, sizeof length);
        at += e.lists ? sizeof length + length : e.item;
      }
      e.row.push_back(raw.substr(begin, at - begin));
    }
    all.push_back(std::move(e));
  }
  return all;
}

/// Keeps each row in the form of N.raw.
class RowSink : public Sink {
 public:
  RowSink(const DatasetInfo& info, const Expected& expected, bool in_place)
      : info_(info),
        expected_(expected),
        in_place_(in_place && !expected.lists),
        rows_(expected.rows),
        block_(in_place_ ? expected.rows * info.row_bytes : 0, std::byte{0xee}) {}

  std::byte* place(std::size_t, std::uint64_t first, std::uint64_t) override {
    return in_place_ ? block_.data() + first * info_.row_bytes : nullptr;
  }
  void accept(std::size_t, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    for (std::uint64_t r = 0; r < rows; ++r) {
      auto row = row_of(raw + r * info_.row_bytes);
      const std::lock_guard lock(mutex_);
      if (!rows_[first + r].empty()) repeated_ = true;
      rows_[first + r] = std::move(row);
    }
  }
  std::string row(std::uint64_t r) const {
    return in_place_ && rows_[r].empty() ? row_of(block_.data() + r * info_.row_bytes) : rows_[r];
  }
  bool repeated() const { return repeated_; }

 private:
  std::string row_of(const std::byte* raw) const {
    if (!expected_.lists) return {reinterpret_cast<const char*>(raw), info_.row_bytes};
    std::string row;
    const auto step = info_.row_bytes / expected_.elements;
    for (std::uint64_t i = 0; i < expected_.elements; ++i, raw += step) append(row, raw);
    return row;
  }
  // As HDF5 gives them: the length and a pointer, or a pointer to a text.
  void append(std::string& row, const std::byte* raw) const {
    std::uint64_t count = 0;
    const char* from = nullptr;
    std::uint64_t bytes = 0;
    if (info_.type.kind == h5::Kind::vlen) {
      std::memcpy(&count, raw, sizeof count);
      std::memcpy(&from, raw + sizeof count, sizeof from);
      bytes = count * info_.type.base.front().size;
    } else {
      std::memcpy(&from, raw, sizeof from);
      bytes = from != nullptr ? std::strlen(from) : 0;
    }
    const auto length = static_cast<std::uint32_t>(bytes);
    row.append(reinterpret_cast<const char*>(&length), sizeof length);
    if (bytes > 0) row.append(from, bytes);
  }

  const DatasetInfo& info_;
  const Expected& expected_;
  bool in_place_;
  std::vector<std::string> rows_;
  std::vector<std::byte> block_;
  std::mutex mutex_;
  bool repeated_ = false;
};

std::vector<Interval> share(std::uint64_t how, std::uint64_t n, const mpi::Comm& comm) {
  const auto rank = static_cast<std::uint64_t>(comm.rank()), ranks = static_cast<std::uint64_t>(comm.size());
  std::vector<Interval> mine;
  if (how == 0) mine.push_back({n * rank / ranks, n * (rank + 1) / ranks});
  if (how == 1 && rank + 1 == ranks) mine.push_back({0, n});
  if (how == 2)
    for (std::uint64_t first = 7 * rank; first < n; first += 7 * ranks) mine.push_back({first, std::min(n, first + 7)});
  return mine;
}

struct How {
  Io io;
  unsigned threads;
  bool in_place;
  std::uint64_t shares;
};

std::string text_of(const How& how, const mpi::Comm& comm, const std::string& way) {
  constexpr std::array io{"auto", "collective", "direct"};
  return std::to_string(comm.size()) + " ranks, io " + io[static_cast<std::size_t>(how.io)] + ", " +
         std::to_string(how.threads) + " threads, " + (how.in_place ? "in place" : "handed over") + ", shares " +
         std::to_string(how.shares) + ": " + way;
}

/// "" or what is wrong, on this rank.
std::string read_and_compare(const mpi::Comm& comm, const Catalog& catalog, const Expected& expected, const How& how) {
  const auto& info = catalog.datasets[0];
  RowSink sink(info, expected, how.in_place);
  LoadOptions options;
  options.io = how.io;
  options.threads = how.threads;
  options.slice_bytes = 1000;
  const auto mine = share(how.shares, catalog.samples, comm);
  const auto way = load(comm, catalog, mine, sink, options).datasets[0].text;
  if (sink.repeated()) return text_of(how, comm, way) + ": a row came twice";
  for (const auto& interval : mine)
    for (auto r = interval.first; r < interval.last; ++r)
      if (sink.row(r) != expected.row[r]) return text_of(how, comm, way) + ": row " + std::to_string(r) + " is wrong";
  return "";
}

/// Whether this HDF5 can read the dataset at all. 1.14.5 finds fault with sound chunks of its own filter scaleoffset.
bool hdf5_can_read(const std::string& file, const std::string& path, const Expected& expected) {
  const auto id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const auto dataset = H5Dopen2(id, path.c_str(), H5P_DEFAULT);
  const auto type = H5Dget_type(dataset);
  std::vector<std::byte> all(expected.rows * expected.elements * H5Tget_size(type));
  const bool read = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()) >= 0;
  const auto space = H5Dget_space(dataset);
  if (read) H5Dvlen_reclaim(type, space, H5P_DEFAULT, all.data());
  H5Sclose(space), H5Tclose(type), H5Dclose(dataset), H5Fclose(id);
  return read;
}

/// Collective. The ways of this seed: every io, and the rest as the seed says.
std::vector<std::string> check(const mpi::Comm& comm, const std::string& folder, std::uint64_t seed) {
  std::vector<std::string> wrong;
  std::string now = "scan";
  try {
    const auto file = folder + "/" + std::to_string(seed) + ".h5";
    const auto expected = expected_of(folder, seed);
    const auto contents = scan(comm, {file});
    for (const auto& dataset : expected) {
      now = dataset.path + " (" + dataset.made + ")";
      if (!hdf5_can_read(file, dataset.path, dataset)) {
        if (comm.rank() == 0) std::cout << "seed " << seed << ": HDF5 itself cannot read " << now << "\n";
        continue;
      }
      const auto catalog = select(contents, {dataset.path});
      for (const auto io : {Io::automatic, Io::collective, Io::direct}) {
        const auto turn = seed + static_cast<std::uint64_t>(io);
        const How how{io, turn % 2 == 0 ? 1u : 3u, turn / 2 % 2 == 0, turn % 3};
        if (const auto what = read_and_compare(comm, catalog, dataset, how); !what.empty())
          wrong.push_back(now + ": " + what);
      }
    }
  } catch (const Error& error) {  // the same on all
    wrong.push_back(comm.rank() == 0 ? now + ": " + error.what() : "");
  }
  return wrong;
}

int run(const std::string& folder, std::uint64_t first, std::uint64_t count) {
  mpi::patience() = {.tell_after_s = 10, .limit_s = 60, .tell = {}, .farewell = {}};
  const auto world = mpi::Comm::world();
  std::vector<mpi::Comm> groups;  // of 1 and 4, 2 and 3, and all 5 ranks
  for (const int small : {1, 2, 0}) groups.push_back(world.split(world.rank() < small ? 0 : 1, world.rank()));
  std::uint64_t failed = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    const auto wrong = check(groups[seed % groups.size()], folder, seed);
    for (const auto& what : wrong)
      if (!what.empty()) std::cerr << "seed " + std::to_string(seed) + ": " + what + "\n";
    failed += !wrong.empty();
  }
  failed = world.max(failed);
  if (world.rank() == 0) std::cout << count << " seeds, " << failed << " failed" << std::endl;
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  int provided = 0, code = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  code = run(argv[1], std::stoull(argv[2]), std::stoull(argv[3]));
  MPI_Finalize();
  return code;
}
