// Samples from files into memory: the collective way of MPI-IO, and direct ways that measure better, to the same bytes.
//
// Called by the thread that owns MPI and HDF5; helpers that it starts read and decode, and are gone when load() returns
// or throws. Transient memory is a few tens of MB, unless a single chunk or row is larger than that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "mpi/comm.hpp"
#include "reader/catalog.hpp"

namespace headrace::reader {

/// What a sink throws where rows cannot be what they should be: passed on as it is.
class SinkError : public Error {
 public:
  using Error::Error;
};

/// Where rows go. Both functions are called from several threads at once, for ranges of rows that do not overlap; each
/// row of what was asked for comes exactly once, either through place() or through accept(). The rows of one call are
/// all of one file.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Where the file's bytes of these rows may be written straight to; null: hand them to accept() instead. A pure
  /// question, that may be asked more than once: it does not say that the rows have come.
  virtual std::byte* place(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows) = 0;
  /// Rows as they are in the file, valid during the call.
  virtual void accept(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows, const std::byte* raw) = 0;
};

enum class Io { automatic, collective, direct };

struct Interval {
  std::uint64_t first = 0, last = 0;  ///< samples [first, last)
};

struct LoadOptions {
  Io io = Io::automatic;
  unsigned threads = 1;                                ///< that read and decode, the caller's own included
  std::uint64_t slice_bytes = std::uint64_t{1} << 30;  ///< most that one rank reads in one collective call
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  ///< bytes of this rank; the caller's thread
};

/// How a dataset (in one file, or in all) was read.
enum class Way {
  plain,       ///< pread of a contiguous dataset by several threads
  chunks,      ///< raw chunks, decoded by several threads
  library,     ///< H5Dread by each rank on its own
  collective,  ///< H5Dread by all ranks together
};

struct DatasetReport {
  std::string path;
  Way way = Way::plain;     ///< in the first file
  std::string text;         ///< way and reason for people; names the files that went another way
  bool collective = false;  ///< HDF5 says that every collective read of it really was one, on this rank
};

struct LoadReport {
  std::uint64_t bytes = 0;  ///< of this rank, as in the files
  double seconds = 0;
  std::vector<DatasetReport> datasets;
};

/// Collective. Each rank reads its intervals (disjoint, ascending, perhaps none) of all datasets of the catalog into
/// its sink. A failure on any rank is thrown on all.
LoadReport load(const mpi::Comm& comm, const Catalog& catalog, std::span<const Interval> mine, Sink& sink,
                const LoadOptions& options);

/// "pread", "decoded chunks", "H5Dread", "collective H5Dread".
std::string_view text_of(Way way);

}  // namespace headrace::reader
