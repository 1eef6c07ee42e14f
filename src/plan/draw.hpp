// How often each sample comes in an epoch where samples are drawn to fill cells (a class in a bin): so many are wanted of
// each cell, whoever they are. Immutable; any thread.
//
//   of a cell of H members W are wanted: each comes W div H times, and W mod H of them once more. Members stand on a ring
//   in an order drawn by the key; each epoch takes its W mod H where the one before ended:
//
//     ring     7 2 9 4 0 5 1 8 3 6        H = 10, W = 14: each once, and once more
//     epoch    0 0 0 0 1 1 1 1 2 2        7 2 9 4 in epoch 0, 0 5 1 8 in epoch 1, 3 6 and 7 2 in epoch 2
//              2 2 ...
//
//   1. Each epoch brings exactly W of a cell, each of its members W div H times or once more.
//   2. Over any epochs in a row, no member of a cell comes twice more than another.
//   3. Who is drawn depends on the key, the epoch, and a member's rank among those of its cell alone.
//
// A place on the ring is kept as a fraction of 2^32 of it, so that whether it lies in an epoch's stretch is one comparison.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "plan/permutation.hpp"

namespace headrace::plan {

class Draw {
 public:
  enum class Redraw { epoch, never };  ///< never: all epochs are like epoch 0
  static constexpr std::size_t most_cells = 65'535;
  static constexpr std::uint64_t most_members = std::uint64_t{1} << 32, most_times = std::uint64_t{1} << 31;

  struct Cell {
    std::uint64_t number = 0;   ///< of the cell, for its key: the same however many others are empty
    std::uint64_t members = 0;  ///< at least 1
    std::uint64_t wanted = 0;
    bool operator==(const Cell&) const = default;
  };

  Draw(std::vector<Cell> cells, std::uint64_t key, Redraw redraw);

  const std::vector<Cell>& cells() const { return cells_; }
  /// The number that samples have which are of no cell: they do not come.
  std::uint16_t no_cell() const { return static_cast<std::uint16_t>(cells_.size()); }
  std::uint64_t positions() const { return positions_; }  ///< of an epoch: all that are wanted
  /// Whether epochs differ.
  bool redrawn() const;
  /// out[i]: the place of the cell's member of rank first + i, members counted by ascending sample.
  void places(std::size_t cell, std::uint64_t first, std::span<std::uint32_t> out) const;

  /// What an epoch takes of a cell: `base` times each, and once more those of places within `length` from `first` on.
  struct Share {
    std::uint32_t first = 0, length = 0, base = 0;
    bool takes(std::uint32_t place) const { return place - first < length; }
  };
  /// Of each cell, and last of no_cell().
  std::vector<Share> shares(std::uint64_t epoch) const;

 private:
  std::uint32_t place_on_ring(const Cell& cell, std::uint64_t number) const;

  std::vector<Cell> cells_;
  std::uint64_t key_, positions_ = 0;
  Redraw redraw_;
};

/// What decides who is drawn in a stream.
std::uint64_t draw_key(std::uint64_t seed, std::string_view stream);

/// The places of samples, given the cell of each (no_cell(): 0), and how many members of each cell stand before them.
std::vector<std::uint32_t> places_of(const Draw& draw, std::span<const std::uint16_t> cells,
                                     std::span<const std::uint64_t> before);

}  // namespace headrace::plan
