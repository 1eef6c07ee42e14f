#include "transform/shifted_integers.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include "transform/numbers/cast_or_throw.hpp"
#include "transform/steps.hpp"

namespace headrace::transform {
namespace {

/// I: std::int64_t or std::uint64_t, as the file has them.
template <class I>
class ShiftedIntegers final : public Column {
 public:
  ShiftedIntegers(const ColumnSpec& column, DType to, Overflow overflow)
      : after_(unshifted(column), false), cell_(column.cell), to_(to), overflow_(overflow), shift_(column.shift) {
    static_cast<void>(Steps<double>(column, false));  // which tells what is wrong with the shift
    const double whole = std::floor(shift_);
    constexpr double beyond = std::numeric_limits<I>::is_signed ? 0x1p63 : 0x1p64;
    exact_ = whole >= static_cast<double>(std::numeric_limits<I>::min()) && whole < beyond;
    if (!exact_) return;
    whole_ = static_cast<I>(whole);
    rest_ = shift_ - whole;
  }

  void finish(const Records& records, std::size_t n, std::byte* out) const override {
    I integers[block_values];
    double values[block_values];
    load(cell_, records, n, integers);
    for (std::size_t i = 0; i < n; ++i) values[i] = shifted(integers[i]);
    after_.after_plugin(values, n);
    numbers::cast_or_throw(values, n, to_, overflow_, out);
  }
  void measure(const Records& records, std::size_t n, double* out) const override { load(cell_, records, n, out); }

 private:
  static ColumnSpec unshifted(ColumnSpec column) {
    column.shift = 0;
    return column;
  }

  double shifted(I value) const {
    std::int64_t difference = 0;
    if (!exact_ || __builtin_sub_overflow(value, whole_, &difference)) [[unlikely]]
      return static_cast<double>(value) - shift_;
    return static_cast<double>(difference) - rest_;
  }

  Steps<double> after_;  ///< all but the shift
  Cell cell_;
  DType to_;
  Overflow overflow_;
  double shift_;
  bool exact_ = false;  ///< its whole part is an I
  I whole_ = 0;
  double rest_ = 0;  ///< shift = whole + rest
};

}  // namespace

bool shifts_integers(const ColumnSpec& column) {
  const auto type = column.cell.dtype;
  return (type == DType::int64 || type == DType::uint64) && column.scaled && column.shift != 0 && !column.cf &&
         !column.log && !column.tanh_log;
}

std::unique_ptr<Column> make_shifted_integers(const ColumnSpec& column, DType to, Overflow overflow) {
  if (column.cell.dtype == DType::int64) return std::make_unique<ShiftedIntegers<std::int64_t>>(column, to, overflow);
  return std::make_unique<ShiftedIntegers<std::uint64_t>>(column, to, overflow);
}

}  // namespace headrace::transform
