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
  /// Where values are found without a search or a branch. A bucket's number grows with the value, and none has more than
  /// one of the edges between bins: how many of these lie below a value is known but for that one.
  struct Bucket {
    double edge = 0;          ///< the one in it; or infinity
    std::uint32_t below = 0;  ///< bins that end in buckets in front, times the stride
  };
  struct Axis {
    enum class By : std::uint8_t { value, magnitude, search };  ///< buckets alike; ones that widen with the value; none
    By by = By::search;
    double first = 0, last = 0, per_width = 0;
    std::int64_t first_key = 0;
    int shift = 0;
    std::uint32_t stride = 1;
    std::vector<Bucket> buckets{};

    template <class F>
    void with_bucket_of(const F& f) const;
  };
  static Axis axis_of(const config::BinAxis& axis, std::uint32_t stride);
  template <bool absolute, class Number>
  void find_along(std::size_t axis, const Number* values, std::span<std::uint32_t> sums, std::span<std::uint8_t> wrong,
                  bool& any_wrong) const;

  std::vector<config::BinAxis> axes_;
  std::vector<Axis> made_;
  std::vector<std::uint32_t> stride_;
  std::uint32_t size_ = 1;
};

/// "abs(jets.eta)": what the variable is called.
std::string name_of(const config::BinAxis& axis);

}  // namespace headrace::data::selection
