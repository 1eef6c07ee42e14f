#include "reader/ways.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/reading_note.hpp"
#include "reader/route.hpp"
#include "reader/virtual_guard.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t strip_bytes = std::uint64_t{8} << 20;  // of one job: long reads, yet many jobs to share
constexpr std::uint64_t cached_bytes = std::uint64_t{512}
                                       << 10;  // read and converted while it is still in a core's cache
constexpr std::uint64_t staged_bytes = std::uint64_t{16} << 20;  // through HDF5, where rows cannot go straight to place

std::uint64_t rows_in(std::uint64_t bytes, std::uint64_t row_bytes) {
  return std::max<std::uint64_t>(1, bytes / row_bytes);
}

}  // namespace

void Tally::tell() {
  std::uint64_t done = 0;
  {
    const Lock lock(mutex_);
    done = done_;
  }
  if (tell_ && done != told_) tell_(done, total_);
  told_ = done;
}

void Course::accept(const Piece& piece, const std::byte* raw) const {
  sink.accept(dataset, piece.sample, piece.rows, raw);
  placed(piece);
}

void Course::explain(const Piece& piece, const std::function<void()>& f) const {
  const auto note = ReadingNote::of(path(), info().path);
  try {
    f();
  } catch (const UsageError&) {
    throw;
  } catch (const SinkError&) {
    throw;
  } catch (const Error& e) {
    const auto change = known.marks.change_of(catalog.files[file]);  // the reason for whatever we stumbled over, if so
    throw ReadError(fmt::format("cannot read rows {} to {} of dataset '{}' in {} ({})", piece.row,
                                piece.row + piece.rows - 1, info().path, path(), change.empty() ? e.what() : change));
  }
}

namespace {

/// One strip of a contiguous dataset. Jobs may outlive the call that made them, so that they hold what they need by
/// value.
struct StripJob {
  Course course;
  Piece strip;
  std::shared_ptr<const PlainFile> file;

  std::uint64_t at(const Piece& part) const { return *course.here().offset + part.row * course.row_bytes(); }
  std::uint64_t bytes(const Piece& part) const { return part.rows * course.row_bytes(); }

  void operator()(Bench& bench) const {
    course.fetched(strip);
    course.explain(strip, [&] {
      if (auto* place = course.place(strip); place != nullptr) {
        file->read(at(strip), bytes(strip), place);
        course.placed(strip);
        return;
      }
      for (const auto& part : cut(strip, rows_in(cached_bytes, course.row_bytes()))) {
        bench.plain.resize(std::max(bench.plain.size(), bytes(part)));
        file->read(at(part), bytes(part), bench.plain.data());
        course.accept(part, bench.plain.data());
      }
    });
  }
};

}  // namespace

void read_plain(const Course& course, const std::vector<Piece>& pieces, const std::shared_ptr<const PlainFile>& file,
                Crew& crew) {
  // Where the system reads nothing by itself, it is told of each strip one strip before.
  std::optional<StripJob> told;
  const auto hand_out = [&](StripJob job) {
    crew.add(crew.bench(), 2 * crew.threads(), std::move(job));
    course.tally.tell();
  };
  for (const auto& piece : pieces)
    for (const auto& strip : cut(piece, rows_in(strip_bytes, course.row_bytes()))) {
      StripJob job{course, strip, file};
      if (!file->hints().scattered) {
        hand_out(std::move(job));
        continue;
      }
      file->will_read(job.at(strip), job.bytes(strip));
      if (told) hand_out(std::move(*told));
      told.emplace(std::move(job));
    }
  if (told) hand_out(std::move(*told));
}

namespace {

// What HDF5 allocated for rows of variable length goes, whatever becomes of them.
struct Reclaim {
  const Course& course;
  const h5::Reader& reader;
  const Piece& slice;
  std::vector<std::byte>& staging;
  ~Reclaim() {
    if (!h5::has_pointers(course.here().type)) return;
    try {
      reader.reclaim(slice.rows, staging.data());
    } catch (const Error&) {  // memory is lost, no more
    }
  }
};

}  // namespace

void read_slice(const Course& course, const h5::Reader& reader, const Piece& slice, std::vector<std::byte>& staging) {
  course.fetched(slice);
  course.explain(slice, [&] {
    if (auto* place = course.place(slice); place != nullptr) {
      reader.read(slice.row, slice.rows, place);
      return course.placed(slice);
    }
    staging.resize(std::max(staging.size(), slice.rows * course.row_bytes()));
    reader.read(slice.row, slice.rows, staging.data());
    const Reclaim reclaim{course, reader, slice, staging};
    course.accept(slice, staging.data());
  });
  course.tally.tell();
}

void read_library(const Course& course, const std::vector<Piece>& pieces, const h5::File& file) {
  const auto& here = course.here();
  const bool chunked = here.layout == h5::Layout::chunked;
  // Slices end where chunks do, and the cache holds the chunks that a slice shares with the next: each is decoded once.
  const auto cache = chunked ? std::min(band_bytes(here), 4 * staged_bytes) : 0;
  std::unique_ptr<h5::Reader> reader;
  course.explain(pieces.front(), [&] {
    require_raw_files(file, here);
    require_room_for_sources(course.catalog.files[course.file], here, pieces);
    reader = std::make_unique<h5::Reader>(file, here.place(), cache);
  });
  std::vector<std::byte> staging;
  for (const auto& piece : pieces)
    for (const auto& slice : cut(piece, rows_at_once(here, staged_bytes), chunked ? here.chunk[0] : 1))
      read_slice(course, *reader, slice, staging);
  course.explain(pieces.front(), [&] { require_open_sources(here, pieces); });
}

}  // namespace headrace::reader
