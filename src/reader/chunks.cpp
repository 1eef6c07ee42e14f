#include <algorithm>
#include <string>

#include "reader/grid.hpp"
#include "reader/route.hpp"
#include "reader/ways.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t memory_limit = std::uint64_t{64} << 20;  // of all jobs together

// A band's chunks as stored, one after another in Bench::stored.
struct StoredChunk {
  std::uint64_t begin, bytes;
  std::uint32_t skipped;  // filters
};

// The part of a band that was asked for: rows [from, from + part.rows) of its chunks.
struct Wanted {
  Piece part;
  std::uint64_t from;
};

// Everything that a job needs, by value or shared: jobs may outlive the call that made them.
struct Band {
  Course course;
  std::shared_ptr<const Grid> grid;
  std::vector<StoredChunk> chunks;
  Wanted wanted;

  void decode(const StoredChunk& chunk, Bench& bench, std::span<std::byte> plain) const {
    bench.decoder.decode(course.here().filters, chunk.skipped,
                         std::span<const std::byte>(bench.stored).subspan(chunk.begin, chunk.bytes), plain);
  }

  // Chunks whose rows are the dataset's rows.
  void deliver_whole(Bench& bench) const {
    auto* place = course.place(wanted.part);
    if (place != nullptr && wanted.part.rows == grid->band_rows()) {
      decode(chunks[0], bench, {place, grid->chunk_bytes()});
      return course.placed(wanted.part);
    }
    bench.plain.resize(std::max(bench.plain.size(), grid->chunk_bytes()));
    decode(chunks[0], bench, std::span(bench.plain).first(grid->chunk_bytes()));
    const auto* rows = bench.plain.data() + wanted.from * course.row_bytes();
    if (place == nullptr) return course.accept(wanted.part, rows);
    std::copy_n(rows, wanted.part.rows * course.row_bytes(), place);
    course.placed(wanted.part);
  }

  // Chunks that hold parts of rows, or reach over the border.
  void deliver_parts(Bench& bench) const {
    auto* place = course.place(wanted.part);
    if (place == nullptr) bench.band.resize(std::max(bench.band.size(), wanted.part.rows * course.row_bytes()));
    auto* rows = place != nullptr ? place : bench.band.data();
    bench.plain.resize(std::max(bench.plain.size(), grid->chunk_bytes()));
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      decode(chunks[i], bench, std::span(bench.plain).first(grid->chunk_bytes()));
      grid->scatter(i, bench.plain.data(), wanted.from, wanted.part.rows, rows);
    }
    if (place != nullptr) return course.placed(wanted.part);
    course.accept(wanted.part, rows);
  }

  void deliver(Bench& bench) const {
    course.explain(wanted.part, [&] {
      if (grid->whole())
        deliver_whole(bench);
      else
        deliver_parts(bench);
    });
  }
};

// The chunks of the band into the bench; empty where one of them was never written.
std::vector<StoredChunk> fetch(const Course& course, const h5::Reader& reader, const Grid& grid, std::uint64_t band,
                               Bench& bench) {
  std::vector<StoredChunk> chunks;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < grid.chunks_per_band(); ++i) {
    const auto bytes = reader.chunk_bytes(grid.at(band, i));
    if (bytes == 0) return {};
    require(bytes <= course.catalog.files[course.file].bytes,
            "one of its chunks is said to take " + std::to_string(bytes) +
                " bytes, more than the whole file; it is damaged: copy it anew");
    chunks.push_back({total, bytes, 0});
    total += bytes;
  }
  bench.stored.resize(std::max(bench.stored.size(), total));
  for (std::uint64_t i = 0; i < chunks.size(); ++i) {
    const auto skipped = reader.read_chunk(grid.at(band, i), bench.stored.data() + chunks[i].begin);
    if (!skipped) return {};
    chunks[i].skipped = *skipped;
  }
  if (course.here().partial_chunks_unfiltered)
    for (std::uint64_t i = 0; i < chunks.size(); ++i)
      if (grid.beyond(band, i)) chunks[i].skipped = ~0u;
  return chunks;
}

/// A chunk that is what its rows are in memory needs no bench and no job. False: it is not, or was never written.
bool straight_to_place(const Course& course, const h5::Reader& reader, const Grid& grid, const Piece& part) {
  if (!course.here().filters.empty() || !grid.whole() || part.rows != grid.band_rows()) return false;
  auto* place = course.place(part);
  const auto at = grid.at(part.row / grid.band_rows(), 0);
  if (place == nullptr || reader.chunk_bytes(at) != grid.chunk_bytes()) return false;
  if (!reader.read_chunk(at, place)) return false;
  course.placed(part);
  return true;
}

}  // namespace

void read_chunks(const Course& course, const std::vector<Piece>& pieces, const h5::File& file, Crew& crew) {
  const auto grid = std::make_shared<const Grid>(course.here());
  const auto job_bytes = band_bytes(course.here()) * 2 + grid->chunk_bytes();
  const auto limit = static_cast<unsigned>(std::clamp<std::uint64_t>(memory_limit / job_bytes, 1, 2 * crew.threads()));
  std::unique_ptr<h5::Reader> reader;
  course.explain(pieces.front(), [&] { reader = std::make_unique<h5::Reader>(file, course.here().place()); });
  std::vector<std::byte> staging;
  for (const auto& piece : pieces)
    for (const auto& part : cut(piece, grid->band_rows(), grid->band_rows())) {
      course.tally.tell();
      bool done = false;
      course.explain(part, [&] { done = straight_to_place(course, *reader, *grid, part); });
      if (done) continue;
      auto bench = crew.bench();
      Band work{course, grid, {}, {part, part.row % grid->band_rows()}};
      course.explain(part, [&] { work.chunks = fetch(course, *reader, *grid, part.row / grid->band_rows(), *bench); });
      if (work.chunks.empty())
        read_slice(course, *reader, part, staging);  // HDF5 knows what stands where nothing was written
      else
        crew.add(std::move(bench), limit, [work = std::move(work)](Bench& b) { work.deliver(b); });
    }
}

}  // namespace headrace::reader
