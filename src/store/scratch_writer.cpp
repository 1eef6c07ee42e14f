#include "store/scratch_writer.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/mutex.hpp"

namespace headrace::store {

namespace {

/// Long writes: short ones between reads would be put off by the disk's scheduler for long.
constexpr std::uint64_t piece_bytes = 4 << 20;

/// The records of rows [first, first + count) of the pane, one after another.
void interleave(const Records& records, const PaneOfRows& pane, std::uint64_t first, std::uint64_t count,
                std::byte* to) {
  const auto& fields = records.fields();
  for (std::size_t f = 0; f + 1 < fields.size(); ++f) {
    const auto bytes = fields[f + 1] - fields[f];
    if (bytes == 0) continue;  // such a field may have no memory, and memcpy takes no null pointer even then
    const auto* from = pane.fields[f] + first * bytes;
    for (std::uint64_t row = 0; row < count; ++row)
      std::memcpy(to + records.at(row) + fields[f], from + row * bytes, bytes);
  }
  for (std::uint64_t row = 0; row < count; ++row)
    std::memset(to + records.at(row) + records.bytes(), 0, records.stride() - records.bytes());
}

}  // namespace

std::uint64_t write_bytes(const Records& records, unsigned threads) {
  const auto piece = std::min(records.rows_a_piece(piece_bytes), std::max<std::uint64_t>(1, records.rows()));
  return threads * round_up(piece * records.stride(), Records::page);
}

void write_rows(const Scratch& to, const PaneOfRows& rows, unsigned threads) {
  const auto& records = to.records;
  if (records.stride() == 0 || rows.count == 0) return;
  const auto piece = records.rows_a_piece(piece_bytes);
  EXPECTS(rows.first % records.rows_a_piece(0) == 0 && rows.first + rows.count <= records.rows());
  std::atomic<std::uint64_t> next = 0;
  Mutex mutex;
  std::exception_ptr failure;
  const auto share = [&] {
    try {
      const AlignedBuffer buffer(std::min(piece, rows.count) * records.stride() + Records::page);
      // relaxed: only the number itself is shared.
      for (auto done = next.fetch_add(piece, std::memory_order_relaxed); done < rows.count;
           done = next.fetch_add(piece, std::memory_order_relaxed)) {
        const auto count = std::min(piece, rows.count - done);
        const auto bytes = count * records.stride(), whole = round_up(bytes, Records::page);
        interleave(records, rows, done, count, buffer.span().data());
        std::memset(buffer.span().data() + bytes, 0, whole - bytes);
        to.file.write(records.at(rows.first + done), buffer.span().first(whole));
      }
    } catch (...) {
      const Lock lock(mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    const auto pieces = (rows.count + piece - 1) / piece;
    for (std::uint64_t t = 1; t < std::min<std::uint64_t>(threads, pieces); ++t) helpers.emplace_back(share);
    share();
  }
  if (failure) std::rethrow_exception(failure);
}

void ScratchWriter::wait() {
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ScratchWriter::write(PaneOfRows rows) {
  wait();
  thread_ = std::jthread([this, rows = std::move(rows)] {
    try {
      write_rows(to_, rows, threads_);
    } catch (...) {
      failure_ = std::current_exception();
    }
  });
}

void ScratchWriter::finish() {
  wait();
  to_.file.written();
}

}  // namespace headrace::store
