// Whose turn it is: a sequence of classes in which each has its share of every stretch. Immutable; any thread.
//
//   shares 2 : 1 : 1      0 1 2 0 | 0 1 2 0 | ...          shares 1 : 1 : 1      0 1 2 | 0 1 2 | ...
//
// A period has W turns, W the sum of the shares. Up to longest_table they are dealt out by smooth weighted round robin
// (each turn, all classes gain their share, and the richest pays W for it), and kept in a table. Longer ones, as where
// shares are numbers of samples, have no table: of a class with share w the turns stand at times (2k + 1) / (2w) of the
// period, k = 0 .. w - 1, and the smaller class goes first where times are equal.
//
//   1. Any L turns in a row hold L * w / W of a class, give or take 1 where shares are equal, and 2 where there is a
//      table; without one some 3 for ten classes, as many small ones may have their turns at nearly the same time.
//   2. at(), follow(), position() and count() agree, for any position below 2^62.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace headrace::plan {

struct Turn {
  std::uint32_t which = 0;  ///< class
  std::uint64_t k = 0;      ///< it is the k-th of its class
  bool operator==(const Turn&) const = default;
};

class Turns {
 public:
  static constexpr std::uint64_t longest_table = 10'000;

  /// One share per class, each at least 1; divided by what divides them all.
  explicit Turns(std::vector<std::uint64_t> shares);

  std::size_t classes() const { return shares_.size(); }
  std::uint64_t period() const { return period_; }
  std::uint64_t share(std::size_t which) const { return shares_[which]; }
  Turn at(std::uint64_t position) const;
  /// out[i] = at(first + i): much faster one after another.
  void follow(std::uint64_t first, std::span<Turn> out) const;
  /// The classes alone: a class's turns are one after another from its count() at the first position.
  void classes(std::uint64_t first, std::span<std::uint32_t> out) const;
  /// Where the k-th of a class stands.
  std::uint64_t position(std::uint32_t which, std::uint64_t k) const;
  /// How many of a class stand in front of the position.
  std::uint64_t count(std::uint32_t which, std::uint64_t position) const;

 private:
  std::uint64_t earlier(std::uint32_t other, std::uint32_t which, std::uint64_t k) const;
  std::uint64_t place(std::uint32_t which, std::uint64_t k) const;
  void make_table();
  std::vector<std::uint64_t> counts_at(std::uint64_t place) const;
  void walk(std::uint64_t place, std::span<Turn> out) const;

  std::vector<std::uint64_t> shares_;
  std::uint64_t period_ = 0;
  std::uint32_t largest_ = 0;  // class
  std::vector<Turn> table_;    // of a whole period, where that is short; of that its classes, at least a kilobyte:
  std::vector<std::uint32_t> classes_;  // so that a batch is a few long copies; and where each class has its turns:
  std::vector<std::vector<std::uint64_t>> places_;
};

}  // namespace headrace::plan
