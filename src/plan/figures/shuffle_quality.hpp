// How far an order that is shuffled in windows is from one that is shuffled as a whole: figures that follow from the
// plan alone, and one that follows from what the blocks hold. Pure; any thread.
//
//   N samples in blocks of b rows; windows of W blocks, n samples each; G samples in a batch of all trainers
#pragma once

#include <cstdint>
#include <span>

#include "plan/windows.hpp"

namespace headrace::plan {

struct WindowFacts {
  std::uint64_t samples = 0;  ///< N
  double block_rows = 1;      ///< b, on average
  std::uint64_t windows = 1;  ///< of an epoch
  std::uint64_t blocks = 1;   ///< W, of a window
  std::uint64_t batch = 1;    ///< G
  double window_samples() const { return static_cast<double>(samples) / static_cast<double>(windows); }  ///< n
};

/// How many times as often as in a global shuffle two rows of one block meet in a batch: about the number of windows.
double neighbours_ratio(const WindowFacts& facts);

/// Total variation between how many rows of one block a batch has, and how many it has in a global shuffle: 0 where
/// nobody could tell, 1 where each batch tells at once.
double total_variation(const WindowFacts& facts);

/// Design effect on a file that is sorted by a class of that share of the samples: the variance of the class's count in
/// a batch over that in a global shuffle, at most (two of the class's borders lie within runs).
double design_effect_if_sorted(const WindowFacts& facts, double share);

/// Mean and number of a field's values in each block that has rows of the stream (Windows::filled()), and their variance
/// over all samples.
struct BlockMeans {
  std::span<const double> means;
  std::span<const std::uint64_t> rows;
  double variance = 0;
};
/// Share of the variance that lies between blocks: 1 where a file is sorted by the field, 0 where it is mixed.
double between_blocks(const BlockMeans& field);
/// Share that lies between the blocks of a run, of which a window takes one: what windows cannot even out.
double within_runs(const BlockMeans& field, const Windows& windows);
/// The design effect to expect of batches: the variance of their sum of the field over that in a global shuffle.
double design_effect(const WindowFacts& facts, double within_runs);

}  // namespace headrace::plan
