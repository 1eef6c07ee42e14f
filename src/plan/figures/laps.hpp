// A stream that is not shuffled, cut into laps: what is read at once where not all of it is in memory. Each trainer
// walks through its own run of the stream, so a lap has a stretch of each run, and all trainers are in the same lap at
// about the same step.
//
//   stream     | run of trainer 0        | run of trainer 1        | run of trainer 2        |
//   blocks     |    |    |    |    |    |    |    |    |    |    |    |    |    |    |    |
//   laps       | 0       | 1  | 2       | 0   | 1       | 2       | 0  | 1        | 2       |
//
//   1. Stretches begin with blocks, but for those that begin a run: so two neighbouring laps share no block.
//   2. Laps decide what is in memory when, and nothing else: positions are those of the stream.
//   3. Where the last batch is filled up, the last lap has what is repeated, too: the stream's first samples.
//
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "plan/schedule.hpp"

namespace headrace::plan {

/// A lap among windows (EpochWindow::window): its number, and for how many trainers it is cut.
struct LapOf {
  std::uint32_t trainers = 1;
  std::uint64_t lap = 0;

  static LapOf window(std::uint64_t window) { return {static_cast<std::uint32_t>(window >> 32), window & 0xffffffff}; }
  std::uint64_t window() const { return std::uint64_t{trainers} << 32 | lap; }
};

class Laps {
 public:
  using FirstOrdinals = std::shared_ptr<const std::vector<std::uint64_t>>;

  /// first_ordinals: of the stream's samples in each block, and the end. schedule: not shuffled. count: of laps, at
  /// least 3.
  Laps(FirstOrdinals first_ordinals, const Schedule& schedule, std::uint64_t count);

  std::uint64_t count() const { return count_; }
  /// The lap of a sample of a trainer's run; of others, the nearest one.
  std::uint64_t lap_of(std::uint32_t trainer, std::uint64_t ordinal) const;
  /// Blocks with samples of a lap, ascending.
  std::vector<std::uint32_t> blocks_of(std::uint64_t lap) const;
  /// Samples of the shortest stretch between the first and the last one: no batch that is larger has two borders.
  std::uint64_t shortest() const;

 private:
  std::uint64_t cut(std::uint32_t trainer, std::uint64_t lap) const;
  std::uint32_t block_of(std::uint64_t ordinal) const;

  FirstOrdinals first_;
  std::uint64_t count_, repeated_ = 0;  // samples that fill up the last batches
  std::vector<std::uint64_t> runs_;     // where the run of each trainer begins, and the end
};

}  // namespace headrace::plan
