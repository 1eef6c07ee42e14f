// An order that is shuffled in windows: for data that are read block by block, epoch after epoch. Each epoch deals the
// blocks out to its windows, one of each run of neighbours to each, and permutes the rows of a window.
//
//   blocks of the files   | 0 1 2 | 3 4 5 | 6 7 8 | 9 .. |     W runs of as many neighbours as there are windows
//   windows of an epoch   {1, 5, 6, 9}  {0, 3, 8, 11}  {2, 4, 7, 10}
//   positions             the rows of 1, 5, 6, 9 in any order, then those of 0, 3, 8, 11 ...
//
// So each window has something of everywhere in the files, as evenly as can be: what is sorted there (by class, by
// time) is not sorted in batches, though only W blocks are in memory.
//
//   1. Every ordinal once per epoch; position() is the inverse of evaluate().
//   2. The result depends on the blocks' borders, W and the key alone: not on stagers, trainers or memory.
//   3. Where all blocks make one window the order is that of a Permutation of the same key.
//   4. Blocks of which nothing is selected are in no window: those that have rows are dealt out, evenly. But where all
//      streams of a service have the same windows (Windows::alike): then all blocks are.
//
// Immutable; any thread. See ORDER.md.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "plan/permutation.hpp"

namespace headrace::plan {

/// Which window of which epoch, as those follow each other.
struct EpochWindow {
  std::uint64_t epoch = 0, window = 0;
  auto operator<=>(const EpochWindow&) const = default;
};

/// Which blocks may meet: the same in all epochs.
class Windows {
 public:
  /// first_ordinals: per block of the files the first one of the stream's ordinals in it, and the end; equal ones where
  /// nothing of a block is selected. At most 2^31 blocks. blocks_a_window: at most, at least 1.
  Windows(std::vector<std::uint64_t> first_ordinals, std::uint64_t blocks_a_window);
  /// So many windows (at least 1), or one of each block where there are fewer: of whatever stream, the same blocks, as
  /// the key deals them out. Windows of which it has no rows are empty.
  static Windows alike(std::vector<std::uint64_t> first_ordinals, std::uint64_t windows, std::uint64_t key);

  static constexpr std::uint64_t bytes_a_block = sizeof(std::uint64_t) + sizeof(std::uint32_t);  ///< that it keeps

  std::uint64_t size() const { return first_.back(); }  ///< ordinals
  std::uint64_t blocks() const { return first_.size() - 1; }
  std::uint64_t count() const { return count_; }                      ///< windows of an epoch
  std::uint64_t blocks_a_window() const { return blocks_a_window_; }  ///< at most, in fact; the number of runs, too
  const std::vector<std::uint64_t>& first_ordinals() const { return first_; }
  /// Rows of a block.
  std::uint64_t rows(std::uint64_t block) const { return first_[block + 1] - first_[block]; }
  /// The block of an ordinal.
  std::uint64_t block_of(std::uint64_t ordinal) const;

  /// The blocks that are dealt out, ascending: those that have rows, or all.
  const std::vector<std::uint32_t>& filled() const { return filled_; }
  /// No window of any order has fewer rows: each may get the least block of every run.
  std::uint64_t least_rows() const;
  /// Whether so many positions one after another never are of more than two windows that follow each other.
  bool two_hold(std::uint64_t positions) const { return count_ <= 2 || positions < least_rows() + 2; }
  /// What deals them out, where that is not the key of the order.
  const std::optional<std::uint64_t>& dealt_by() const { return dealt_by_; }
  /// The k-th of these stands in that slot of count() * blocks_a_window(), evenly; some slots stay empty. A run has the
  /// slots of as many neighbours as there are windows.
  std::uint64_t slot_of(std::uint64_t k) const { return k * (blocks_a_window_ * count_) / filled_.size(); }

 private:
  std::vector<std::uint64_t> first_;
  std::vector<std::uint32_t> filled_;
  std::uint64_t blocks_a_window_, count_;
  std::optional<std::uint64_t> dealt_by_{};
};

class WindowedOrder {
 public:
  /// That it keeps: entries of blocks_, parts_, place_ and hints_; and of one that is being made.
  static constexpr std::uint64_t bytes_a_block = 4 * sizeof(std::uint32_t) + 2 * sizeof(std::uint64_t);

  /// key: what epoch_key() makes of seed, stream and epoch.
  WindowedOrder(std::shared_ptr<const Windows> windows, std::uint64_t key);

  const Windows& windows() const { return *windows_; }
  std::uint64_t size() const { return windows_->size(); }
  /// First position of each window, and the end.
  const std::vector<std::uint64_t>& starts() const { return starts_; }
  /// The window of a position; of the end, the last one that has any.
  std::uint64_t window_of(std::uint64_t position) const;
  /// Its blocks, ascending.
  std::span<const std::uint32_t> blocks_of(std::uint64_t window) const;
  /// Ordinals of positions first, first + 1, ...; first + out.size() <= size(). A few ns each.
  void evaluate(std::uint64_t first, std::span<std::uint64_t> out) const;
  std::uint64_t position(std::uint64_t ordinal) const;

 private:
  /// A block in its window: `before` rows of the window stand in front of its first ordinal.
  struct Part {
    std::uint64_t before = 0, first = 0;
  };
  void deal(std::span<std::uint32_t> window_of_block);
  void make_hints();
  Permutation rows_of(std::uint64_t window) const;
  void place(std::uint64_t window, std::span<std::uint64_t> rows) const;

  std::shared_ptr<const Windows> windows_;
  std::uint64_t key_;
  std::vector<std::uint64_t> starts_;
  std::vector<std::uint64_t> first_block_;  // per window, of blocks_; and the end
  std::vector<std::uint32_t> blocks_;       // window after window
  std::vector<Part> parts_;                 // of each of these
  std::vector<std::uint32_t> place_;        // per block that has rows: its entry
  std::vector<std::uint8_t> shift_;         // per window: rows of one stretch of it, as a power of two
  std::vector<std::uint32_t> hints_;        // per stretch, from first_block_ on: the entry that its first row is in
};

}  // namespace headrace::plan
