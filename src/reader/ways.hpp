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
  void tell();  ///< calls back if anything has come since the last time

 private:
  Mutex mutex_;
  std::uint64_t done_ GUARDED_BY(mutex_) = 0;
  std::uint64_t told_ = 0;  // caller's thread
  std::uint64_t total_;
  std::function<void(std::uint64_t, std::uint64_t)> tell_;
};

/// One dataset in one file, and where its rows go. Lives as long as the load.
struct Course {
  const catalog::Catalog& catalog;
  std::size_t dataset, file;
  Sink& sink;
  Tally& tally;

  const catalog::DatasetInfo& info() const { return catalog.datasets[dataset]; }
  const h5::DatasetInfo& here() const { return info().in_file[file]; }
  const std::string& path() const { return catalog.files[file].path; }
  std::uint64_t row_bytes() const { return here().row_bytes(); }
  std::byte* place(const Piece& piece) const { return sink.place(dataset, piece.sample, piece.rows); }
  /// Hands over what place() did not take, and counts.
  void accept(const Piece& piece, const std::byte* raw) const;
  /// Counts rows that were written in place.
  void placed(const Piece& piece) const { tally.add(piece.rows * row_bytes()); }
  /// Runs f; its errors get dataset, file and rows in front.
  void explain(const Piece& piece, const std::function<void()>& f) const;
};

/// Throws unless the file still has the size that it had when it was examined. HDF5 reads zeros beyond the end of a
/// file that has become shorter, so this is asked before and after it reads.
void check_unchanged(const catalog::FileInfo& file);

/// A file opened beside HDF5, for pread by any thread.
class PlainFile {
 public:
  /// pass_by: what was read need not stay in the system's memory.
  explicit PlainFile(const catalog::FileInfo& file, bool pass_by = false);
  ~PlainFile();
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;
  /// All of these bytes, or an error.
  void read(std::uint64_t offset, std::uint64_t bytes, std::byte* to) const;
  /// The system need not keep any of it in memory.
  void forget() const;

 private:
  int fd_;
  bool pass_by_;
};

void read_plain(const Course& course, const std::vector<Piece>& pieces, const std::shared_ptr<const PlainFile>& file,
                Crew& crew);
void read_chunks(const Course& course, const std::vector<Piece>& pieces, const h5::File& file, Crew& crew);
/// Rows through HDF5, by this rank alone; `staging` grows where they cannot go straight to their place.
void read_slice(const Course& course, const h5::Reader& reader, const Piece& slice, std::vector<std::byte>& staging);
void read_library(const Course& course, const std::vector<Piece>& pieces, const h5::File& file);
/// Collective. Says whether HDF5 really read collectively.
bool read_collective(const mpi::Comm& comm, const Course& course, const std::vector<Piece>& pieces,
                     const h5::File& file, std::uint64_t slice_bytes);

}  // namespace headrace::reader
