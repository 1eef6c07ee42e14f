// A stream that is not shuffled and does not fit memory: it is read straight through, lap by lap
// (plan/figures/laps.hpp), into two panes of each stager, as windows of shuffled streams are (cells.hpp). How large laps
// are depends on the number of trainers; it changes no batch. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "plan/blocks.hpp"
#include "plan/figures/laps.hpp"
#include "plan/slabs.hpp"

namespace headrace::service::blueprint {

class Straight {
 public:
  /// first_ordinals: of the stream's samples in each block, and the end. Slabs begin with blocks.
  Straight(std::string stream, std::vector<std::uint64_t> first_ordinals, const plan::Blocks& blocks,
           std::span<const plan::Slab> slabs);

  const std::vector<std::uint64_t>& first_ordinals() const { return *first_; }
  /// Before others ask: rows of a pane of each stager. Empty: the stream is in memory as a whole.
  void take(std::vector<std::uint64_t> pane_rows) { pane_rows_ = std::move(pane_rows); }
  bool by_laps() const { return !pane_rows_.empty(); }
  /// Laps of a schedule that fit the panes, as few as there can be. Error that says what to do where there are none.
  std::shared_ptr<const plan::Laps> laps(const plan::Schedule& schedule) EXCLUDES(mutex_);

  /// Rows that panes need for so many laps, of each stager; nothing where batches would be of more than two.
  std::vector<std::uint64_t> need(const plan::Schedule& schedule, std::uint64_t count) const;
  /// The counts of laps that are tried, ascending; `usual` makes the first batch come soon, and is one of them.
  static constexpr std::uint64_t fewest = 3, usual = 13;
  static constexpr std::uint64_t next(std::uint64_t count) { return count + count / 2; }
  /// Error: so many trainers cannot read it in laps.
  [[noreturn]] void refuse(const plan::Schedule& schedule) const;

 private:
  std::vector<std::uint64_t> rows_of(const plan::Laps& laps) const;

  const std::string stream_;
  const plan::Laps::FirstOrdinals first_;
  std::vector<std::uint32_t> holders_;  // of each block
  std::size_t stagers_;
  std::vector<std::uint64_t> pane_rows_;
  Mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<const plan::Laps>> made_ GUARDED_BY(mutex_);  // by trainers
};

}  // namespace headrace::service::blueprint
