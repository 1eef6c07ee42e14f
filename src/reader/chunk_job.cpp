#include "reader/chunk_job.hpp"

#include <algorithm>
#include <numeric>

#include "base/narrow.hpp"

namespace headrace::reader {

namespace {

/// From the first of these to the last.
Piece around(const Piece& first, const Piece& last) {
  return {first.row, last.row + last.rows - first.row, first.sample};
}

}  // namespace

bool ChunkJob::is_raw(std::span<const StoredChunk> chunks) const {
  return course_.here().filters.empty() && grid_->whole() && chunks[0].bytes == grid_->chunk_bytes();
}

void ChunkJob::put(StoredChunk chunk, std::uint64_t plain_bytes, std::byte* straight_to) {
  chunks_.push_back({chunk, straight_to});
  stored_bytes_ += chunk.bytes;
  plain_bytes_ += plain_bytes;
}

void ChunkJob::add(const Piece& piece, std::span<const StoredChunk> chunks) {
  const auto from = piece.row % grid_->band_rows();
  auto* place = course_.place(piece);
  const bool raw = is_raw(chunks);
  const auto band_of = [this](const Piece& some) { return some.row / grid_->band_rows(); };
  const bool known = !raw && !parts_.empty() && band_of(parts_.back().piece) == band_of(piece);
  parts_.push_back({piece, from, known ? parts_.back().first_chunk : chunks_.size(), place, raw});
  if (raw) {
    const auto bytes = piece.rows * course_.row_bytes();
    return put({chunks[0].offset + from * course_.row_bytes(), narrow<std::uint32_t>(bytes), 0}, bytes,
               place);
  }
  if (known) return;
  for (const auto& chunk : chunks) put(chunk, grid_->chunk_bytes(), nullptr);
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
  course_.explain(around(parts_.front().piece, parts_.back().piece), [&] {
    for (const auto& read : reads_)
      file_->read(read.offset, read.bytes, read.to != nullptr ? read.to : bench.stored.data() + read.at);
  });
  course_.tally.fetch(stored_bytes_);
  for (std::size_t first = 0, last = 0; first < parts_.size(); first = last) {
    while (last < parts_.size() && parts_[last].first_chunk == parts_[first].first_chunk) ++last;
    const auto parts = Parts(parts_).subspan(first, last - first);
    course_.explain(around(parts.front().piece, parts.back().piece), [&] { deliver(parts, bench); });
  }
}

void ChunkJob::decode(const Chunk& chunk, Bench& bench, std::span<std::byte> plain) const {
  bench.decoder.decode(course_.here().filters, chunk.stored.skipped,
                       std::span<const std::byte>(bench.stored).subspan(chunk.at, chunk.stored.bytes), plain);
}

void ChunkJob::deliver(Parts parts, Bench& bench) const {
  if (parts.front().raw) return deliver_raw(parts.front(), bench);
  if (grid_->whole())
    deliver_whole(parts, bench);
  else
    deliver_scattered(parts, bench);
}

void ChunkJob::deliver_raw(const Part& part, const Bench& bench) const {
  if (part.place != nullptr) return course_.placed(part.piece);
  course_.accept(part.piece, bench.stored.data() + chunks_[part.first_chunk].at);
}

// Chunks whose rows are the dataset's rows.
void ChunkJob::deliver_whole(Parts parts, Bench& bench) const {
  const auto& chunk = chunks_[parts.front().first_chunk];
  const auto& [piece, from, first_chunk, place, raw] = parts.front();
  if (place != nullptr && piece.rows == grid_->band_rows()) {
    decode(chunk, bench, {place, grid_->chunk_bytes()});
    return course_.placed(piece);
  }
  bench.plain.resize(std::max(bench.plain.size(), grid_->chunk_bytes()));
  decode(chunk, bench, std::span(bench.plain).first(grid_->chunk_bytes()));
  for (const auto& part : parts) {
    const auto* rows = bench.plain.data() + part.from * course_.row_bytes();
    if (part.place == nullptr) {
      course_.accept(part.piece, rows);
      continue;
    }
    std::copy_n(rows, part.piece.rows * course_.row_bytes(), part.place);
    course_.placed(part.piece);
  }
}

// Chunks that hold parts of rows.
void ChunkJob::deliver_scattered(Parts parts, Bench& bench) const {
  std::uint64_t bytes = 0;
  for (const auto& part : parts) bytes += part.place == nullptr ? part.piece.rows * course_.row_bytes() : 0;
  bench.band.resize(std::max(bench.band.size(), bytes));
  std::vector<std::byte*> rows;
  bytes = 0;
  for (const auto& part : parts) {
    rows.push_back(part.place != nullptr ? part.place : bench.band.data() + bytes);
    bytes += part.place == nullptr ? part.piece.rows * course_.row_bytes() : 0;
  }
  bench.plain.resize(std::max(bench.plain.size(), grid_->chunk_bytes()));
  for (std::size_t i = 0; i < grid_->chunks_per_band(); ++i) {
    decode(chunks_[parts.front().first_chunk + i], bench, std::span(bench.plain).first(grid_->chunk_bytes()));
    for (std::size_t p = 0; p < parts.size(); ++p)
      grid_->scatter(i, bench.plain.data(), parts[p].from, parts[p].piece.rows, rows[p]);
  }
  for (std::size_t p = 0; p < parts.size(); ++p)
    parts[p].place != nullptr ? course_.placed(parts[p].piece) : course_.accept(parts[p].piece, rows[p]);
}

}  // namespace headrace::reader
