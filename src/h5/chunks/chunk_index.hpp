// Where the chunks of one dataset of one file lie, as far as was asked: each is looked up once. 16 bytes for each, in
// pages that come as they are needed. The thread that owns HDF5.
//
//   number      chunks counted row by row as they tile the dataset: those beside each other are neighbours
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "h5/chunks/chunk_finder.hpp"
#include "h5/dataset.hpp"

namespace headrace::h5::chunks {

class ChunkIndex {
 public:
  using Finder = std::function<const ChunkFinder&()>;

  explicit ChunkIndex(const DatasetInfo& dataset);

  /// Nothing: it was never written, or only HDF5 can say what becomes of it. The finder is asked for, where the chunk is
  /// not known yet.
  std::optional<StoredChunk> at(std::uint64_t number, const Finder& finder);
  /// Memory that it takes.
  std::uint64_t bytes() const { return bytes_; }

 private:
  StoredChunk& place(std::uint64_t number);
  void look_up(std::uint64_t number, const ChunkFinder& finder);
  std::uint64_t number_of(const std::vector<std::uint64_t>& at) const;

  std::vector<std::uint64_t> chunk_, along_;  // elements of a chunk, and chunks of the dataset, on each axis
  std::uint64_t bytes_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<StoredChunk[]>> pages_;
  bool complete_ = false;  // what is not known was never written
};

}  // namespace headrace::h5::chunks
