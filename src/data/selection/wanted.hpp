// How many samples are wanted of each class in each bin, once it is known how many there are; and what comes of that.
// Whole numbers, the same for all epochs. Pure, but that a
// target may stand in a file.
//
//   target   weights of the bins: a class's samples in them; the least, most or mean of all classes' (in each bin); 1; or
//            what the file says
//   wanted   of each class: N samples, cut by these weights (apportion.hpp)
//
// A class of which a bin has too few to repeat each at most max-repeat times gets fewer than N: as many as keep the shape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "data/selection/bins.hpp"

namespace headrace::data::selection {

/// Samples of each class in each bin: there, and wanted in an epoch.
struct BinCounts {
  std::vector<std::string> classes;  ///< names; a single one where there are no classes
  Bins bins;
  std::vector<std::uint64_t> there, wanted;  ///< of class c in bin b: [c * bins.size() + b]
  std::vector<std::string> fewer{};          ///< a sentence for each class that max-repeat makes smaller
};

/// Fills `wanted`. Throws UsageError: the target has no samples; it fills bins where a class has none.
void settle_wanted(const config::ResampleConfig& config, BinCounts& counts);

/// Instead: the weight of a sample of each class in each bin, with which classes add up to what would be wanted, as far as
/// they have samples there. `wanted` are those sums, rounded. Throws UsageError as settle_wanted() does.
std::vector<double> settle_weights(const config::ResampleConfig& config, BinCounts& counts);
/// "b: 400 samples of weights 0.25 to 3.1, effective 214" for each class.
std::vector<std::string> texts_of(const BinCounts& counts, const std::vector<double>& weights);

/// What an epoch brings of a class.
struct ClassDraw {
  std::string name;
  std::uint64_t there = 0, wanted = 0;  ///< samples in its bins; positions
  std::uint64_t distinct = 0;           ///< samples that come
  std::uint64_t most = 0;               ///< how often the one that comes most
  double effective = 0;                 ///< samples that would tell as much if each came once: (sum n)^2 / sum n^2
  std::uint64_t repeats() const { return wanted - distinct; }
};
std::vector<ClassDraw> class_draws(const BinCounts& counts);
/// "b: 25000 of 60012 samples, 24913 distinct and 87 repeats (each at most twice), effective 24739"
std::string text_of(const ClassDraw& draw);

}  // namespace headrace::data::selection
