#include "store/raw_reads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <random>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace headrace::store {

namespace {

struct Range {
  const ScratchFile* file = nullptr;
  std::uint64_t begin = 0, end = 0;
};

template <class RangeOf>
RawRate read_all(std::uint64_t count, std::uint64_t most_bytes, unsigned threads, double most_seconds,
                 const RangeOf& range_of) {
  std::atomic<std::uint64_t> next = 0, reads = 0, bytes = 0;
  Mutex mutex;
  std::exception_ptr failure;
  const auto begin = Clock::now();
  const auto share = [&] {
    try {
      const AlignedBuffer buffer(ScratchFile::room_for(most_bytes));
      // relaxed: only the number itself is shared.
      for (auto i = next.fetch_add(1, std::memory_order_relaxed); i < count && seconds_since(begin) < most_seconds;
           i = next.fetch_add(1, std::memory_order_relaxed)) {
        const auto range = range_of(i);
        range.file->read(range.begin, range.end, buffer.span());
        reads.fetch_add(1, std::memory_order_relaxed);  // relaxed: joined before it is read
        bytes.fetch_add(range.end - range.begin, std::memory_order_relaxed);
      }
    } catch (...) {
      const Lock lock(mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> all;
    for (unsigned t = 0; t < threads; ++t) all.emplace_back(share);
  }
  if (failure) std::rethrow_exception(failure);
  return {seconds_since(begin), reads, bytes};
}

}  // namespace

RawRate read_raw(std::span<const Scratch> files, std::span<const RowOfFile> rows, unsigned threads,
                 double most_seconds) {
  constexpr auto most = ScratchReaders::most_read;
  const auto bytes = files.empty() ? 0 : files.front().records.bytes();  // of every file: they have one schema
  const auto parts = std::max<std::uint64_t>(1, (bytes + most - 1) / most);
  return read_all(rows.size() * parts, most, threads, most_seconds, [&](std::uint64_t i) {
    const auto& [file, records] = files[rows[i / parts].file];
    const auto begin = records.at(rows[i / parts].row);
    return Range{&file, begin + i % parts * most, begin + std::min(bytes, (i % parts + 1) * most)};
  });
}

RawRate read_raw_pieces(const Scratch& from, unsigned threads, double most_seconds) {
  constexpr std::uint64_t piece = 1 << 20, many = 1 << 12;
  const auto bytes = from.file.bytes();
  if (bytes == 0) return {};
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> begins(std::min(many, (bytes + piece - 1) / piece));
  for (auto& begin : begins) begin = random() % ((bytes + piece - 1) / piece) * piece;
  return read_all(begins.size(), piece, threads, most_seconds, [&](std::uint64_t i) {
    return Range{&from.file, begins[i], std::min(bytes, begins[i] + piece)};
  });
}

}  // namespace headrace::store
