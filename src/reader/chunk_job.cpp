#include "reader/chunk_job.hpp"

#include <algorithm>
#include <numeric>

namespace headrace::reader {

void ChunkJob::add(const Piece& part, std::span<const StoredChunk> chunks) {
  auto* place = course_.place(part);
  const bool straight = place != nullptr && course_.here().filters.empty() && grid_->whole() &&
                        part.rows == grid_->band_rows() && chunks[0].bytes == grid_->chunk_bytes();
  bands_.push_back({part, part.row % grid_->band_rows(), chunks_.size(), place, straight});
  for (const auto& chunk : chunks) {
    chunks_.push_back({chunk, straight ? place : nullptr});
    stored_bytes_ += chunk.bytes;
    plain_bytes_ += grid_->chunk_bytes();
  }
}

void ChunkJob::arrange() {
  std::vector<std::size_t> order(chunks_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [this](std::size_t i) { return chunks_[i].stored.offset; });
  for (const auto i : order) {
    auto& chunk = chunks_[i];
    const auto& [offset, bytes, skipped] = chunk.stored;
    if (chunk.straight_to == nullptr) {
      chunk.at = on_bench_;
      on_bench_ += bytes;
    }
    if (!reads_.empty()) {
      auto& last = reads_.back();
      const bool together =
          last.to == nullptr ? chunk.straight_to == nullptr : last.to + last.bytes == chunk.straight_to;
      if (together && last.offset + last.bytes == offset) {
        last.bytes += bytes;
        continue;
      }
    }
    reads_.push_back({offset, bytes, chunk.straight_to, chunk.at});
  }
}

void ChunkJob::will_read() const {
  for (const auto& read : reads_) file_->will_read(read.offset, read.bytes);
}

void ChunkJob::run(Bench& bench) const {
  bench.stored.resize(std::max(bench.stored.size(), on_bench_));
  const auto& first = bands_.front().part;
  const auto& last = bands_.back().part;
  course_.explain({first.row, last.row + last.rows - first.row, first.sample}, [&] {
    for (const auto& read : reads_)
      file_->read(read.offset, read.bytes, read.to != nullptr ? read.to : bench.stored.data() + read.at);
  });
  course_.tally.fetch(stored_bytes_);
  for (const auto& band : bands_) course_.explain(band.part, [&] { deliver(band, bench); });
}

void ChunkJob::decode(const Chunk& chunk, Bench& bench, std::span<std::byte> plain) const {
  bench.decoder.decode(course_.here().filters, chunk.stored.skipped,
                       std::span<const std::byte>(bench.stored).subspan(chunk.at, chunk.stored.bytes), plain);
}

void ChunkJob::deliver(const Band& band, Bench& bench) const {
  if (band.straight) return course_.placed(band.part);
  if (grid_->whole())
    deliver_whole(band, bench);
  else
    deliver_parts(band, bench);
}

// Chunks whose rows are the dataset's rows.
void ChunkJob::deliver_whole(const Band& band, Bench& bench) const {
  const auto& [part, from, first_chunk, place, straight] = band;
  const auto& chunk = chunks_[first_chunk];
  if (place != nullptr && part.rows == grid_->band_rows()) {
    decode(chunk, bench, {place, grid_->chunk_bytes()});
    return course_.placed(part);
  }
  bench.plain.resize(std::max(bench.plain.size(), grid_->chunk_bytes()));
  decode(chunk, bench, std::span(bench.plain).first(grid_->chunk_bytes()));
  const auto* rows = bench.plain.data() + from * course_.row_bytes();
  if (place == nullptr) return course_.accept(part, rows);
  std::copy_n(rows, part.rows * course_.row_bytes(), place);
  course_.placed(part);
}

// Chunks that hold parts of rows, or reach over the border.
void ChunkJob::deliver_parts(const Band& band, Bench& bench) const {
  const auto& [part, from, first_chunk, place, straight] = band;
  if (place == nullptr) bench.band.resize(std::max(bench.band.size(), part.rows * course_.row_bytes()));
  auto* rows = place != nullptr ? place : bench.band.data();
  bench.plain.resize(std::max(bench.plain.size(), grid_->chunk_bytes()));
  for (std::size_t i = 0; i < grid_->chunks_per_band(); ++i) {
    decode(chunks_[first_chunk + i], bench, std::span(bench.plain).first(grid_->chunk_bytes()));
    grid_->scatter(i, bench.plain.data(), from, part.rows, rows);
  }
  if (place != nullptr) return course_.placed(part);
  course_.accept(part, rows);
}

}  // namespace headrace::reader
