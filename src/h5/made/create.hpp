// Files that are written from nothing by one process: all datasets are there at once, and their bytes come later: those
// of contiguous ones by anybody's pwrite() at offsets(), those of chunked ones by write_chunk(), already compressed.
// The same calls make the same bytes: no times are kept. One thread: that which owns HDF5.
//
// Filtered writes by many ranks through MPI-IO are left out on purpose: HDF5 1.10 dies of them beyond some 36,000
// chunks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/dtype.hpp"
#include "h5/handle.hpp"

namespace headrace::h5 {

/// A member of a compound; members stand one after another without gaps.
struct NewMember {
  std::string name;
  DType dtype = DType::float32;
};

/// A filter as the file names it.
struct NewFilter {
  int id = 0;
  std::vector<unsigned> values;
};

struct NewDataset {
  std::string path;  ///< groups on the way are made
  DType dtype = DType::float32;
  std::vector<NewMember> members{};   ///< of a compound; then dtype says nothing
  std::vector<std::uint64_t> dims{};  ///< rows first
  std::uint64_t chunk_rows = 0;       ///< 0: contiguous
  std::vector<NewFilter> filters{};   ///< in the order in which they are applied

  std::uint64_t element_bytes() const;
  std::uint64_t row_bytes() const;
};

struct NewAttribute {
  std::string object;  ///< path of a dataset or a group; "/": the file
  std::string name;
  std::variant<std::string, std::vector<std::string>, std::int64_t, std::uint64_t, double> value;
};

/// Where a chunk went.
struct ChunkPlace {
  std::uint64_t offset = 0, bytes = 0;
};

/// A file that is open for writing. Where it cannot be written to its end, the process leaves at once when all is told
/// (base/process_end.hpp).
class FileInWork {
 public:
  FileInWork() = default;
  explicit FileInWork(File file) : file_(std::move(file)) {}
  FileInWork(FileInWork&&) = default;
  FileInWork& operator=(FileInWork&& other) noexcept;
  ~FileInWork();

  hid_t id() const { return file_.id(); }
  /// Error where something could not be written.
  void close();

 private:
  void give_up() noexcept;

  File file_;
};

class NewFile {
 public:
  /// Makes the file, or replaces it.
  NewFile(const std::string& path, std::span<const NewDataset> datasets, std::span<const NewAttribute> attributes);
  /// One that was made before, to be completed.
  NewFile(const std::string& path, std::span<const NewDataset> datasets);

  /// Where the bytes of each dataset begin; 0 where they are not contiguous.
  std::vector<std::uint64_t> offsets() const;
  /// Chunk `number` along the first axis; skipped: bit f is set where filter f could not shrink it.
  ChunkPlace write_chunk(std::size_t dataset, std::uint64_t number, std::span<const std::byte> bytes,
                         std::uint32_t skipped);
  void add(const NewAttribute& attribute);
  /// A dataset of texts (of variable length, UTF-8), which are asked for one after another.
  void add_texts(const std::string& path, std::uint64_t rows, const std::function<std::string(std::uint64_t)>& text);
  /// Error where something could not be written.
  void close();

 private:
  std::vector<NewDataset> told_;
  FileInWork file_;
  std::vector<Dataset> datasets_;  // closed before it
};

/// The rows of several files, in a file of their own, one after another.
struct PartFile {
  std::string path;  ///< as it shall stand there: relative to the folder of the virtual file
  std::uint64_t rows = 0;
};
void write_virtual(const std::string& path, std::span<const NewDataset> datasets, std::span<const PartFile> parts,
                   std::span<const NewAttribute> attributes);

}  // namespace headrace::h5
