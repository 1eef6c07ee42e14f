// How the chunks of a dataset tile its rows: pure arithmetic.
//
//   band k     all chunks that hold the rows [k * chunk rows, (k + 1) * chunk rows): one or several beside each other
//   whole      a chunk's rows are rows of the dataset: one chunk wide, nothing beyond the border
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "h5/dataset.hpp"

namespace headrace::reader {

class Grid {
 public:
  explicit Grid(const h5::DatasetInfo& dataset);

  std::uint64_t band_rows() const { return chunk_[0]; }
  std::uint64_t chunk_bytes() const { return chunk_bytes_; }
  std::uint64_t chunks_per_band() const { return per_band_; }
  bool whole() const { return whole_; }

  /// Whether the i-th chunk of a band reaches beyond the border of the dataset.
  bool beyond(std::uint64_t band, std::uint64_t i) const;

  /// Coordinates of the i-th chunk of a band: its first element.
  std::vector<std::uint64_t> at(std::uint64_t band, std::uint64_t i) const;

  /// Copies rows [from, from + rows) of chunk i (any band) to their places in rows that begin at `to`.
  void scatter(std::uint64_t i, const std::byte* chunk, std::uint64_t from, std::uint64_t rows, std::byte* to) const;

 private:
  std::vector<std::uint64_t> dims_, chunk_;  // of the file
  std::size_t element_;
  std::uint64_t chunk_bytes_ = 0, per_band_ = 1;
  bool whole_ = true;
};

}  // namespace headrace::reader
