#include <algorithm>
#include <optional>

#include "base/reading_note.hpp"
#include "mpi/agree.hpp"
#include "mpi/watch_together.hpp"
#include "reader/route.hpp"
#include "reader/ways.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t most_staged = std::uint64_t{16} << 20;  // of a slice that cannot go straight to its place

std::vector<Piece> slices_of(const Course& course, const std::vector<Piece>& pieces, std::uint64_t slice_bytes) {
  std::vector<Piece> slices;
  const auto align = std::max<std::uint64_t>(1, course.info().chunk_rows);
  for (const auto& piece : pieces) {
    const bool straight = course.place(piece) != nullptr;
    const auto bytes = straight ? slice_bytes : std::min(slice_bytes, most_staged);
    const auto parts = cut(piece, rows_at_once(course.here(), bytes), align);
    slices.insert(slices.end(), parts.begin(), parts.end());
  }
  return slices;
}

class Rounds {
 public:
  Rounds(const mpi::Comm& comm, const Course& course, const h5::File& file)
      : comm_(comm), course_(course), deed_("read '" + course.here().path + "' in " + course.path()) {
    const auto note = ReadingNote::of(course_.path(), course_.info().path);
    const auto watch = mpi::watch_together(comm_, deed_);
    reader_.emplace(file, course.here().place());
  }

  /// For so many rows that do not go straight to their place; not between two ranks' parts of one read.
  void make_room(std::uint64_t rows) { staging_.resize(std::max(staging_.size(), rows * course_.row_bytes())); }
  /// Collective: this slice, or nothing.
  void read(const Piece* slice) {
    if (slice == nullptr) return take_part(0, 0, staging_.data());
    course_.fetched(*slice);
    auto* place = course_.place(*slice);
    take_part(slice->row, slice->rows, place != nullptr ? place : staging_.data());
    if (place != nullptr)
      course_.placed(*slice);
    else
      course_.accept(*slice, staging_.data());
  }
  bool collective() const { return collective_; }

 private:
  void take_part(std::uint64_t first, std::uint64_t rows, std::byte* to) {
    const auto note = ReadingNote::of(course_.path(), course_.info().path);
    const auto watch = mpi::watch_together(comm_, deed_);
    collective_ = reader_->read_collective(first, rows, to).collective && collective_;
  }

  const mpi::Comm& comm_;
  const Course& course_;
  std::string deed_;
  std::optional<h5::Reader> reader_;
  std::vector<std::byte> staging_ = std::vector<std::byte>(1);  // never null, as HDF5 wants it
  bool collective_ = true;
};

}  // namespace

bool read_collective(const mpi::Comm& comm, const Course& course, const std::vector<Piece>& pieces,
                     const h5::File& file, std::uint64_t slice_bytes) {
  const auto slices = slices_of(course, pieces, slice_bytes);
  const auto rounds = comm.max(std::uint64_t{slices.size()});
  auto reading = mpi::together(comm, [&] { return std::make_unique<Rounds>(comm, course, file); });
  mpi::together(comm, [&] {
    for (const auto& slice : slices)
      if (course.place(slice) == nullptr) reading->make_room(slice.rows);
  });
  for (std::uint64_t i = 0; i < rounds; ++i) {
    // A rank that fails inside H5Dread has taken part in its exchange, so that the others reach the agreement too.
    const Piece* slice = i < slices.size() ? &slices[i] : nullptr;
    mpi::together(comm, [&] {
      if (slice == nullptr)
        reading->read(nullptr);
      else
        course.explain(*slice, [&] { reading->read(slice); });
    });
    course.tally.tell();
  }
  return reading->collective();
}

}  // namespace headrace::reader
