// Statistics in a fixed order: of the parts that threads finish in any order, and as bytes that travel between stagers.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "reader/load.hpp"
#include "transform/statistics.hpp"

namespace headrace::commands::stats {

/// Adds parts in the order of their samples. A part that comes before its turn waits; parts are few, for readers work
/// along the file. add() may be called by any thread.
class InOrder {
 public:
  using Part = std::vector<transform::ItemStatistics>;
  /// intervals: what the parts will cover together, each of them once.
  InOrder(std::span<const reader::Interval> intervals, std::size_t items);

  void add(std::uint64_t first, std::uint64_t last, Part part);
  /// Once all have come, of all threads.
  Part take();

 private:
  struct Waiting {
    std::uint64_t last;
    Part part;
  };
  void merge(const Part& part) REQUIRES(mutex_);
  void go_on() REQUIRES(mutex_);

  Mutex mutex_;
  const std::vector<reader::Interval> intervals_;
  std::size_t interval_ GUARDED_BY(mutex_) = 0;
  std::uint64_t next_ GUARDED_BY(mutex_) = 0;  // the sample whose turn it is
  std::map<std::uint64_t, Waiting> waiting_ GUARDED_BY(mutex_);
  Part sum_ GUARDED_BY(mutex_);
};

/// Per field, per item; to bytes, and added to sums of the same form.
std::string packed(const std::vector<std::vector<transform::ItemStatistics>>& tallies);
void merge_packed(const std::string& text, std::vector<std::vector<transform::ItemStatistics>>& sums);

}  // namespace headrace::commands::stats
