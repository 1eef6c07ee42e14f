// The order of one epoch: which member stands at which position. Invertible, stateless, no array of n anywhere.
// Immutable; any thread. See ORDER.md.
//
//   shuffled   position p is ordinal P(p), P a permutation of all
//   windowed   the same window after window (windows.hpp)
//   mixed      position p is the turn of a class; each class walks through its own members, one permutation of them
//              after another, over all epochs:
//
//        epoch           0           |           1           |
//        class a    perm 0 |   perm 1  |   perm 2  |   perm 3        3 of 4 an epoch: 5, 2, 7 | 4, then 7, 5 | ...
//        class b    perm 0           |   perm 1              |
//
//   1. Ordinals are those of plan::Strata: of the members of all classes one after another.
//   2. Within a permutation of a class nothing comes twice: an epoch brings a member floor or ceil of turns / members
//      times, or once more where permutations end within it.
//   3. The result depends on seed, stream, epoch and what Mix holds alone: not on trainers, stagers or batches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "plan/permutation.hpp"
#include "plan/turns.hpp"
#include "plan/windows.hpp"

namespace headrace::plan {

/// How a stream mixes classes. The same for all its epochs.
struct Mix {
  enum class Within { batch, epoch };  ///< where shares hold: in every stretch of positions, or over the epoch only

  Turns turns;
  Within within = Within::batch;
  std::uint64_t positions = 0;         ///< of an epoch
  std::vector<std::uint64_t> members;  ///< of each class, at least 1

  /// Turns of a class in an epoch.
  std::uint64_t turns_of(std::uint32_t which) const { return turns.count(which, positions); }
};

/// As many positions as no class runs out of members, or as each class needs to show all of them.
std::uint64_t shortest_epoch(const Turns& turns, std::span<const std::uint64_t> members);
std::uint64_t longest_epoch(const Turns& turns, std::span<const std::uint64_t> members);

/// Turns of one class in one permutation of its members.
struct Stretch {
  std::uint32_t which = 0;            ///< class
  std::uint64_t cycle = 0;            ///< number of the permutation
  std::uint64_t first = 0, last = 0;  ///< of the permutation: [first, last)
};

class EpochOrder {
 public:
  /// n members shuffled by the key: what epoch_key() makes of seed, stream and epoch.
  EpochOrder(std::uint64_t n, std::uint64_t key);
  EpochOrder(std::shared_ptr<const Mix> mix, std::uint64_t seed, std::string_view stream, std::uint64_t epoch);
  explicit EpochOrder(std::shared_ptr<const WindowedOrder> windowed);

  std::uint64_t size() const { return permutation_.size(); }  ///< positions
  /// Ordinals of positions first, first + 1, ...; first + out.size() <= size().
  void evaluate(std::uint64_t first, std::span<std::uint64_t> out) const;
  /// The positions of a member, in no order; none where the epoch does without it.
  void positions(std::uint64_t ordinal, const std::function<void(std::uint64_t)>& f) const;
  /// Null where the epoch is not shuffled in windows.
  const WindowedOrder* windowed() const { return windowed_.get(); }
  /// Positions [first, first + count) that are repeated where the last batch is filled up: of windows, those of the last
  /// one, which is in memory then; else all.
  struct Repeated {
    std::uint64_t first = 0, count = 0;
  };
  Repeated repeated() const;
  /// What an epoch of a mix takes of its classes; nothing where it is not mixed.
  std::vector<Stretch> stretches() const;
  /// How many of them each class has, reckoned: those that are all of its members, and those that are not.
  struct Passes {
    std::uint64_t whole = 0, parts = 0;
  };
  std::vector<Passes> passes() const;
  /// Ordinals of a part of such a stretch: of [first, first + out.size()) of that permutation.
  void evaluate(const Stretch& stretch, std::uint64_t first, std::span<std::uint64_t> out) const;

 private:
  struct Walk {                         // of a class
    std::uint64_t before = 0;           // members of classes in front
    std::uint64_t cycle = 0, skip = 0;  // the epoch begins at number `skip` of this permutation
    std::uint64_t turns = 0;            // of the epoch
  };
  Permutation permutation_of(std::uint32_t which, std::uint64_t cycle) const;
  void follow(std::uint32_t which, std::uint64_t k, std::span<std::uint64_t> out) const;
  void mixed_by_batch(std::uint64_t first, std::span<std::uint64_t> out) const;
  void mixed_by_epoch(std::uint64_t first, std::span<std::uint64_t> out) const;

  Permutation permutation_;  // of all positions: used where not mixed, and within = epoch
  std::shared_ptr<const Mix> mix_;
  std::uint64_t key_ = 0;  // of the stream's epoch 0
  std::vector<Walk> walks_;
  std::shared_ptr<const WindowedOrder> windowed_;
};

}  // namespace headrace::plan
