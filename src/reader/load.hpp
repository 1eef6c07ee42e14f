// Samples from files into memory: the collective way of MPI-IO, and direct ways that measure better, to the same bytes.
//
// load() is called by the thread that owns MPI and HDF5, load_alone() by the one that owns HDF5; helpers that they start
// read and decode, and are gone when they return or throw. Transient memory is a few tens of MB, unless a single chunk or
// row is larger than that.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "mpi/comm.hpp"
#include "reader/pieces.hpp"
#include "reader/route.hpp"
#include "reader/sink.hpp"

namespace headrace::reader {

struct KnownFiles;

struct LoadOptions {
  Io io = Io::automatic;
  unsigned threads = 1;                                ///< that read and decode, the caller's own included
  std::uint64_t slice_bytes = std::uint64_t{1} << 30;  ///< most that one rank reads in one collective call
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};  ///< bytes of this rank; the caller's thread
  bool more_to_come = false;            ///< another load of the same files follows soon
  bool pass_by = false;                 ///< what was read is not read again soon: the system need not keep it in memory
  std::shared_ptr<KnownFiles> known{};  ///< what loads of these files know from each other; null: this one begins anew
  Refused refused{};  ///< asked by any thread about rows of an inventory that are not to be had; empty: none is let go
};

struct DatasetReport {
  std::string path;
  Way way = Way::plain;     ///< in the first file
  std::string text;         ///< way and reason for people; names the files that went another way
  bool collective = false;  ///< HDF5 says that every collective read of it really was one, on this rank
};

struct LoadReport {
  std::uint64_t bytes = 0;         ///< of this rank, as in the files, decoded
  std::uint64_t stored_bytes = 0;  ///< that had to be read for that, as far as can be told
  double seconds = 0;
  std::vector<DatasetReport> datasets;
};

/// Collective. Each rank reads its intervals (disjoint, ascending, perhaps none) of all datasets of the catalog into
/// its sink. A failure on any rank is thrown on all.
LoadReport load(const mpi::Comm& comm, const catalog::Catalog& catalog, std::span<const Interval> mine, Sink& sink,
                const LoadOptions& options);

/// The same without a word to anybody: no MPI, each file by this process alone. What progress() throws ends the load.
LoadReport load_alone(const catalog::Catalog& catalog, std::span<const Interval> mine, Sink& sink,
                      const LoadOptions& options);

}  // namespace headrace::reader
