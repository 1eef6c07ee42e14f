// Steps 1 and 3 - 6 of the values of one column, in the type W in which they are computed (float or double). Immutable;
// any thread. Only valid values may be passed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "transform/cells.hpp"
#include "transform/field_spec.hpp"

namespace headrace::transform {

template <class W>
class Steps {
 public:
  /// Throws UsageError where shift or scale make no sense in W.
  Steps(const ColumnSpec& column, bool has_plugin);

  /// Loads n <= block_values records and does everything before a plugin. Throws BadElement.
  void before_plugin(const Records& records, std::size_t n, W* values) const;
  /// Everything after it, but for the cast. Throws BadElement.
  void after_plugin(W* values, std::size_t n) const;

  /// There is nothing but (x - shift) / scale and an end to whatever is not finite: scale() does it in one pass.
  bool only_scales() const;
  /// From values in native order to values, neither aligned nor the same memory. Whether no result is greater than
  /// `limit` in size; else the steps above have to say what is wrong.
  bool scale(const std::byte* in, std::size_t n, W limit, std::byte* out) const;

 private:
  void set_fills(const CfDecoding& cf);
  void load_bits(const Records& records, std::size_t n, std::uint64_t* bits) const;
  void decode(const Records& records, std::size_t n, W* values) const;
  void treat_nonfinite(W* values, std::size_t n) const;
  void take_log(W* values, std::size_t n) const;

  ColumnSpec column_;
  W shift_, scale_;
  bool check_last_;  ///< something was computed that may not be infinite
  std::vector<double> fills_{};
  std::vector<std::uint64_t> fill_bits_{};  ///< of integers of 64 bits
};

}  // namespace headrace::transform
