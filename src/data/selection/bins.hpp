// Which bin of several variables a sample is in. Bins of all variables are numbered through, those of the last variable
// fastest. Immutable; any thread.
//
//   1. A bin has its lower edge, and the last one its upper edge, too: as numpy.histogramdd counts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "condition/condition.hpp"
#include "config/config.hpp"
#include "data/selection/axis.hpp"

namespace headrace::data::selection {

class Bins {
 public:
  /// Instead of a number: the sample is in none of them; one of its values is NaN.
  static constexpr std::uint32_t outside = UINT32_MAX, nan = UINT32_MAX - 1;

  explicit Bins(std::vector<config::BinAxis> axes);

  std::uint32_t size() const { return size_; }
  const std::vector<config::BinAxis>& axes() const { return axes_; }
  /// values: of each variable, one for each of `out`. Texts are none: they are refused where columns are looked up.
  void find(std::span<const condition::ColumnValues* const> values, std::span<std::uint32_t> out) const;
  /// The bin of one variable that this bin is in.
  std::uint32_t along(std::size_t axis, std::uint32_t bin) const { return bin / stride_[axis] % bins_of(axis); }
  std::uint32_t bins_of(std::size_t axis) const { return static_cast<std::uint32_t>(axes_[axis].edges.size() - 1); }
  /// "jets.pt from 0 to 5000, abs(jets.eta) from 0.5 to 0.75"
  std::string text(std::uint32_t bin) const;

 private:
  std::vector<config::BinAxis> axes_;
  std::vector<Axis> made_;
  std::vector<std::uint32_t> stride_;
  std::uint32_t size_ = 1;
};

/// "abs(jets.eta)": what the variable is called.
std::string name_of(const config::BinAxis& axis);

}  // namespace headrace::data::selection
