// The ways of reading rows of one dataset of one file. Each delivers every row of its pieces to the sink, or throws an
// error that names the dataset, the file and the rows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "catalog/catalog.hpp"
#include "h5/read.hpp"
#include "mpi/comm.hpp"
#include "reader/crew.hpp"
#include "reader/file_in_hand.hpp"
#include "reader/known_files.hpp"
#include "reader/pieces.hpp"
#include "reader/sink.hpp"

namespace headrace::reader {

/// Bytes that have come, counted by all threads, told by the caller's.
class Tally {
 public:
  Tally(std::uint64_t total, std::function<void(std::uint64_t, std::uint64_t)> tell)
      : total_(total), tell_(std::move(tell)) {}
  void add(std::uint64_t bytes) {
    const Lock lock(mutex_);
    done_ += bytes;
  }
  /// Bytes that were read from a file.
  void fetch(std::uint64_t bytes) {
    const Lock lock(mutex_);
    fetched_ += bytes;
  }
  std::uint64_t fetched() {
    const Lock lock(mutex_);
    return fetched_;
  }
  void tell();  ///< calls back if anything has come since the last time

 private:
  Mutex mutex_;
  std::uint64_t done_ GUARDED_BY(mutex_) = 0, fetched_ GUARDED_BY(mutex_) = 0;
  std::uint64_t told_ = 0;  // caller's thread
  std::uint64_t total_;
  std::function<void(std::uint64_t, std::uint64_t)> tell_;
};

/// What Course::explain throws: all is said.
class ReadError : public Error {
 public:
  using Error::Error;
};

/// One dataset in one file, and where its rows go. Lives as long as the load.
struct Course {
  const catalog::Catalog& catalog;
  std::size_t dataset, file;
  Sink& sink;
  Tally& tally;
  KnownFiles& known;

  const catalog::DatasetInfo& info() const { return catalog.datasets[dataset]; }
  const h5::DatasetInfo& here() const { return info().in_file[file]; }
  const std::string& path() const { return catalog.files[file].path; }
  std::uint64_t row_bytes() const { return here().row_bytes(); }
  std::byte* place(const Piece& piece) const { return sink.place(dataset, piece.sample, piece.rows); }
  /// Hands over what place() did not take, and counts.
  void accept(const Piece& piece, const std::byte* raw) const;
  /// Counts rows that were read as they lie in the file.
  void fetched(const Piece& piece) const { tally.fetch(piece.rows * row_bytes()); }
  /// Counts rows that were written in place.
  void placed(const Piece& piece) const { tally.add(piece.rows * row_bytes()); }
  /// Runs f; its errors get dataset, file and rows in front. Where the file is not what it was, they say that instead.
  void explain(const Piece& piece, const std::function<void()>& f) const;
};

void read_plain(const Course& course, const std::vector<Piece>& pieces, const std::shared_ptr<const PlainFile>& file,
                Crew& crew);
/// Returns why chunks could not be looked up, so that HDF5 read the rest; "" where they could.
std::string read_chunks(const Course& course, const std::vector<Piece>& pieces, FileInHand& file, Crew& crew);
/// Rows through HDF5, by this rank alone; `staging` grows where they cannot go straight to their place.
void read_slice(const Course& course, const h5::Reader& reader, const Piece& slice, std::vector<std::byte>& staging);
void read_library(const Course& course, const std::vector<Piece>& pieces, const h5::File& file);
/// Collective. Says whether HDF5 really read collectively.
bool read_collective(const mpi::Comm& comm, const Course& course, const std::vector<Piece>& pieces,
                     const h5::File& file, std::uint64_t slice_bytes);

}  // namespace headrace::reader
