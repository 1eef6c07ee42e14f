// The files as one data set: what is in them, which datasets belong together, and where each sample is.
//
//   1. Sample s is in the file with first_sample <= s < first_sample + samples; files stand in the order given.
//   2. All datasets of a Catalog have the same rows in each file, and rows of the same shape in all files. Types may
//      differ between files, and so may the bytes of a row; what these types have in common is the caller's question.
//   3. Contents and Catalog are the same on every rank, and plain values afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/dtype.hpp"
#include "catalog/row_source.hpp"
#include "catalog/virtual_report.hpp"
#include "h5/describe.hpp"
#include "mpi/comm.hpp"

namespace headrace::catalog {

/// A file that is read behind another.
struct SourceFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t head = 0;  ///< as FileInfo has it
  bool operator==(const SourceFile&) const = default;
};

/// A file that the user named and that others are read in place of.
struct NamedFile {
  std::string path;
  std::uint64_t bytes = 0, head = 0;
  std::int64_t mtime_ns = 0;
};

/// One file as it was found.
struct FileContents {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t head = 0;                 ///< checksum of its first 64 KiB
  std::vector<h5::DatasetInfo> datasets;  ///< by path
  std::string conventions;                ///< what its root names as Conventions; "": nothing
  bool netcdf = false;                    ///< the NetCDF library wrote it
  std::vector<VirtualReport> virtuals;    ///< of each of its virtual datasets; of a file that was seen through, with
                                          ///< the first that is read in its place
  std::vector<SourceFile> sources;        ///< that HDF5 opens when these are read
  std::optional<NamedFile> instead_of;    ///< the file that it stands for, perhaps with others
  bool continues = false;                 ///< stands for the same file as the one before
  std::vector<h5::GroupAlias> groups;     ///< other names of groups, by path
  std::vector<h5::DeadLink> dead_links;   ///< by path
  std::shared_ptr<const RowSource> rows;  ///< that its rows come from, where it is no HDF5 file
};
using Contents = std::vector<FileContents>;

/// An element that a CPU can take, but for its byte order.
struct Element {
  DType dtype = DType::float32;
  bool big_endian = false;
  bool timeval = false;  ///< a float64 that stands as PyTables packs times: seconds and microseconds, 32 bits each
  bool operator==(const Element&) const = default;
};

struct FileInfo {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t head = 0;  ///< checksum of its first 64 KiB: headers and, in small files, data
  std::uint64_t first_sample = 0, samples = 0;
  std::size_t named = 0;                    ///< which of Catalog::named it is a part of, where that is told
  std::vector<SourceFile> sources;          ///< that are read through it
  std::shared_ptr<const RowSource> rows{};  ///< that its rows come from, where it is no HDF5 file
};

struct DatasetInfo {
  std::string path;                      ///< without the leading slash
  std::vector<std::uint64_t> row_shape;  ///< without the sample axis
  h5::TypeInfo type;                     ///< of an element, in the first file that has it
  std::uint64_t row_bytes = 0;           ///< as rows are delivered; the most of all files
  std::uint64_t chunk_rows = 0;          ///< the largest of all files; 0 where no file is chunked
  std::vector<h5::DatasetInfo> in_file;  ///< one per file: how it lies there; without a path where the file lacks it

  Element element() const;  ///< where element_of(type) is one
};

struct LeftOut {
  std::string path, reason;
};

struct Catalog {
  std::vector<FileInfo> files;
  std::vector<DatasetInfo> datasets;
  std::vector<FileInfo> named;    ///< the files as the user named them; empty: they are `files`
  std::vector<LeftOut> left_out;  ///< datasets that were not asked for and cannot be fields beside these
  std::uint64_t samples = 0;

  std::uint64_t row_bytes() const;  ///< of all datasets together, in the files
  std::uint64_t largest_chunk()
      const;  ///< rows: borders of slabs should not cut chunks, or two stagers inflate the same one
  /// Of a row of the file that holds the sample.
  std::uint64_t row_bytes_at(std::size_t dataset, std::uint64_t sample) const {
    return datasets[dataset].in_file[file_of(sample)].row_bytes();
  }
  /// Whether the file is without that dataset.
  bool lacks(const std::string& path, std::size_t file) const;
  std::size_t file_of(std::uint64_t sample) const;
  /// What the user named that file, with all samples that this stands for.
  const FileInfo& named_of(std::size_t file) const { return named.empty() ? files[file] : named[files[file].named]; }
  const std::vector<FileInfo>& as_named() const { return named.empty() ? files : named; }
};

/// What is made of virtual datasets.
struct ScanOptions {
  bool see_through = true;  ///< files that only put others one after another are replaced by these; else only told
  bool fill_gaps = false;   ///< rows without a source may be the fill value
  /// Whether a dataset that lies beside virtual ones, in the file itself, has to stay; unset: all that have rows.
  std::function<bool(const h5::DatasetInfo&)> keep;
};

/// What is in one file, which is opened in this very process, for it alone; nothing is said of the sources of virtual
/// datasets.
FileContents examine(const std::string& path, h5::Depth depth = h5::Depth::describe);

/// What is in all files, for this process alone: as scan(). Neither opens files itself (examiner.hpp).
Contents examine_all(const std::vector<std::string>& files, const ScanOptions& options = {});

/// Collective. Opens every file once (file i by rank i mod P) and describes all datasets. Looks for the sources of
/// virtual datasets; DatasetInfo::lost tells of those that are not all there. Errors: a file that comes twice, by
/// itself and through a virtual one.
Contents scan(const mpi::Comm& comm, const std::vector<std::string>& files, const ScanOptions& options = {});

/// The files that are read and that the user did not name, each once, by path.
std::vector<std::string> files_behind(const Contents& contents);

/// The named datasets (leading slash or not) of any type, each once, in the order given; none named: all numeric
/// datasets of the most common length (of several such lengths, the one with the most bytes), by path. Errors name
/// datasets and files: missing ones, shapes or lengths that disagree, what cannot be read, zero samples.
/// may_lack: which of them a file may be without.
Catalog select(const Contents& contents, const std::vector<std::string>& paths,
               const std::set<std::string>& may_lack = {});

/// The element of a type that is a number: integers, enumerations, bool, floats of 2, 4 and 8 bytes, times.
std::optional<Element> element_of(const h5::TypeInfo& type);

/// Numbers, arrays of them, complex numbers: what is a field without being named.
bool is_field_type(const h5::TypeInfo& type);

}  // namespace headrace::catalog
