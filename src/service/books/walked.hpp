// How far the audit of a node has added up the permutations that classes of a mix walk through: an epoch that brings one to
// its end needs no second look at its samples, as what is left of the whole is known. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/mutex.hpp"

namespace headrace::service::books {

class Walked {
 public:
  /// A permutation of a class of a stream.
  struct Walk {
    std::uint32_t stream = 0, which = 0;
    std::uint64_t cycle = 0;
    auto operator<=>(const Walk&) const = default;
  };
  /// The sum over the first `place` of it; 0 for none of them.
  std::optional<std::uint64_t> first(const Walk& walk, std::uint64_t place) const EXCLUDES(mutex_);
  void note(const Walk& walk, std::uint64_t place, std::uint64_t sum) EXCLUDES(mutex_);
  /// The sum over all members of a class, which make() gives once.
  template <class Make>
  std::uint64_t whole(std::uint32_t stream, std::uint32_t which, const Make& make) EXCLUDES(mutex_) {
    {
      const Lock lock(mutex_);
      const auto found = wholes_.find({stream, which});
      if (found != wholes_.end()) return found->second;
    }
    const auto sum = make();
    const Lock lock(mutex_);
    return wholes_[{stream, which}] = sum;
  }

 private:
  static constexpr std::size_t most_walks = 4096;  // the oldest of a class go first: epochs follow each other
  mutable Mutex mutex_;
  std::map<Walk, std::map<std::uint64_t, std::uint64_t>> sums_ GUARDED_BY(mutex_);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> wholes_ GUARDED_BY(mutex_);
};

}  // namespace headrace::service::books
