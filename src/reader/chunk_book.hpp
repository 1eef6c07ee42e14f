// The indexes of chunks of all files and datasets that were read, kept from one load to the next: what is read again and
// again, window by window, is looked up once. The thread that owns HDF5.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "h5/chunks/chunk_index.hpp"

namespace headrace::reader {

class ChunkBook {
 public:
  /// most_bytes: of all indexes; beyond that they are let go, and looked up again.
  explicit ChunkBook(std::uint64_t most_bytes = std::uint64_t{32} << 20) : most_bytes_(most_bytes) {}

  std::shared_ptr<h5::chunks::ChunkIndex> of(const std::string& file, const h5::DatasetInfo& dataset) {
    if (last_) bytes_ += last_->bytes() - last_bytes_;
    if (bytes_ > most_bytes_) {
      indexes_.clear();
      last_.reset();
      bytes_ = 0;
    }
    auto& index = indexes_[{file, dataset.place()}];
    if (!index) index = std::make_shared<h5::chunks::ChunkIndex>(dataset);
    last_ = index;
    last_bytes_ = index->bytes();
    return index;
  }

 private:
  std::uint64_t most_bytes_, bytes_ = 0;          // of all, but for what the last one grew by
  std::shared_ptr<h5::chunks::ChunkIndex> last_;  // the one that was given out last
  std::uint64_t last_bytes_ = 0;                  // what of it is counted
  std::map<std::pair<std::string, std::string>, std::shared_ptr<h5::chunks::ChunkIndex>> indexes_;
};

}  // namespace headrace::reader
