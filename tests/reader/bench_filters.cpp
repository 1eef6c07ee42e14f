// How near loading comes to what the cores can decode: bench_filters FILE THREADS TURNS DATASET... (make_filtered.py
// makes the file). In turns: the limit, all chunks decoded by so many threads from memory into memory that was touched
// before, by the bare library; the same with each chunk read first, by pread from a plain file (what no loader can be
// without: filters that shrink nothing are as fast as the reading); and the load of the same dataset by one stager with
// so many threads. Prints all three and the load's quotient of each, median (least .. greatest) over the turns. No
// test, because nothing here asserts a time.
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "h5/codecs/codecs.hpp"
#include "h5/read.hpp"
#include "reader/decode.hpp"
#include "reader/grid.hpp"
#include "reader/load.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::reader;

namespace {

/// Takes rows where they are to stand.
class PlaceSink : public Sink {
 public:
  PlaceSink(std::vector<std::byte>& to, std::uint64_t row_bytes) : to_(to), row_bytes_(row_bytes) {}
  std::byte* place(std::size_t, std::uint64_t first, std::uint64_t) override { return to_.data() + first * row_bytes_; }
  void accept(std::size_t, std::uint64_t, std::uint64_t, const std::byte*) override {}

 private:
  std::vector<std::byte>& to_;
  std::uint64_t row_bytes_;
};

struct Chunks {
  std::vector<std::vector<std::byte>> stored;
  std::uint64_t plain_bytes;
  std::vector<off_t> at{};  ///< in the plain file
  std::FILE* file = nullptr;
};

Chunks chunks_of(const std::string& path, const h5::DatasetInfo& dataset) {
  const auto file = h5::open_file(path);
  const h5::Reader reader(file, dataset.path);
  const Grid grid(dataset);
  Chunks chunks{{}, grid.chunk_bytes()};
  for (std::uint64_t band = 0; band * grid.band_rows() < dataset.rows(); ++band) {
    auto& stored = chunks.stored.emplace_back(reader.chunk_bytes(grid.at(band, 0)));
    reader.read_chunk(grid.at(band, 0), stored.data());
  }
  return chunks;
}

void write_plain_file(Chunks& chunks) {
  chunks.file = std::tmpfile();
  require(chunks.file != nullptr, errno_text("a temporary file", errno));
  off_t at = 0;
  for (const auto& chunk : chunks.stored) {
    chunks.at.push_back(at);
    require(std::fwrite(chunk.data(), 1, chunk.size(), chunks.file) == chunk.size(), errno_text("writing it", errno));
    at += static_cast<off_t>(chunk.size());
  }
  std::fflush(chunks.file);
}

double decode_all(const Chunks& chunks, const h5::DatasetInfo& dataset, unsigned threads, bool read,
                  std::vector<std::byte>& to) {
  std::atomic<std::size_t> next{0};
  const auto* codec = h5::codecs::codec_of(dataset.filters.back().id);
  const auto work = [&] {
    Decoder decoder;
    std::vector<std::byte> mine;
    for (auto i = next++; i < chunks.stored.size(); i = next++) {
      std::span<const std::byte> stored = chunks.stored[i];
      if (read) {
        mine.resize(std::max(mine.size(), stored.size()));
        const auto got = pread(fileno(chunks.file), mine.data(), stored.size(), chunks.at[i]);
        require(got == static_cast<ssize_t>(stored.size()), errno_text("reading the plain file", errno));
        stored = std::span(mine).first(stored.size());
      }
      const std::span plain(to.data() + i * chunks.plain_bytes, chunks.plain_bytes);
      if (dataset.filters.size() == 1 && codec != nullptr)
        codec->undo(dataset.filters[0].values, stored, plain);
      else
        decoder.decode(dataset.filters, 0, stored, plain);
    }
  };
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> others;
    for (unsigned t = 1; t < threads; ++t) others.emplace_back(work);
    work();
  }
  return seconds_since(begin);
}

std::string spread(std::vector<double> values) {
  std::ranges::sort(values);
  const auto text = [](double v) { return std::to_string(v).substr(0, 5); };
  return text(values[values.size() / 2]) + " (" + text(values.front()) + " .. " + text(values.back()) + ")";
}

void bench(const std::string& path, const std::string& name, unsigned threads, int turns) {
  const auto self = mpi::Comm::self();
  const auto catalog = select(scan(self, {path}), {name});
  const auto& dataset = catalog.datasets[0].in_file[0];
  auto chunks = chunks_of(path, dataset);
  write_plain_file(chunks);
  std::vector<std::byte> to(chunks.stored.size() * chunks.plain_bytes, std::byte{1});  // the last one may be cut
  std::vector<std::byte> again(catalog.samples * catalog.row_bytes(), std::byte{1});
  PlaceSink sink(again, catalog.row_bytes());
  LoadOptions options;
  options.threads = threads;
  std::vector<double> limit, read_too, load, quotient, quotient_read;
  for (int turn = 0; turn < turns; ++turn) {
    const auto bytes = static_cast<double>(again.size()) / 1e9;
    limit.push_back(bytes / decode_all(chunks, dataset, threads, false, to));
    read_too.push_back(bytes / decode_all(chunks, dataset, threads, true, to));
    const std::vector<Interval> all{{0, catalog.samples}};
    load.push_back(bytes / reader::load(self, catalog, all, sink, options).seconds);
    quotient.push_back(load.back() / limit.back());
    quotient_read.push_back(load.back() / read_too.back());
  }
  std::cout << name << ": decoding " << spread(limit) << " GB/s, reading and decoding " << spread(read_too)
            << " GB/s, loading " << spread(load) << " GB/s; of decoding " << spread(quotient)
            << ", of reading and decoding " << spread(quotient_read)
            << (std::equal(again.begin(), again.end(), to.begin()) ? "" : "  THE BYTES DIFFER") << std::endl;
  std::fclose(chunks.file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "bench_filters FILE THREADS TURNS DATASET...\n";
    return 2;
  }
  MPI_Init(&argc, &argv);
  for (int i = 4; i < argc; ++i)
    bench(argv[1], argv[i], static_cast<unsigned>(std::stoul(argv[2])), std::stoi(argv[3]));
  MPI_Finalize();
  return 0;
}
