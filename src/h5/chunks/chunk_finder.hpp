// Where the chunks of one dataset lie in its file, asked of HDF5. The thread that owns HDF5.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "h5/dataset.hpp"
#include "h5/handle.hpp"

namespace headrace::h5::chunks {

/// A chunk as it lies there.
struct StoredChunk {
  std::uint64_t offset = 0;  ///< from the first byte of the file, user block and all
  std::uint32_t bytes = 0;
  std::uint32_t skipped = 0;  ///< bit i: filter i was not applied
  bool operator==(const StoredChunk&) const = default;
};

class ChunkFinder {
 public:
  /// Opens the file for itself. Error, without the file's name, where chunks cannot be looked up in it.
  ChunkFinder(const std::string& path, const DatasetInfo& dataset);

  /// The chunk whose first element stands there. Nothing: it was never written, or HDF5 cannot find it and will say why
  /// when it is asked to read it.
  std::optional<StoredChunk> find(const std::vector<std::uint64_t>& at) const;

  /// Of all that were written, in one go, which costs less each; false: this HDF5 cannot do that.
  bool visit(const std::function<void(const std::vector<std::uint64_t>& at, const StoredChunk& chunk)>& visit) const;

 private:
  File file_;
  Dataset dataset_;
  bool with_user_block_ = false;
};

}  // namespace headrace::h5::chunks
