#include "transform/make_column.hpp"

#include <algorithm>

#include "transform/column_types.hpp"
#include "transform/numbers/cast_or_throw.hpp"
#include "transform/shifted_integers.hpp"
#include "transform/steps.hpp"

namespace headrace::transform {
namespace {

bool is_floating(DType type) {
  return type >= DType::float16;
}
bool is_signed(DType type) {
  return type >= DType::int8 && type <= DType::int64;
}

class Copied final : public Column {
 public:
  explicit Copied(const Cell& cell) : cell_(cell) {}
  void finish(const Records& records, std::size_t n, std::byte* out) const override { gather(cell_, records, n, out); }
  void measure(const Records& records, std::size_t n, double* out) const override { load(cell_, records, n, out); }

 private:
  Cell cell_;
};

/// Integers that are cast without being computed with. W holds each of them exactly.
template <class W>
class Cast final : public Column {
 public:
  Cast(const Cell& cell, DType to, Overflow overflow) : cell_(cell), to_(to), overflow_(overflow) {}
  void finish(const Records& records, std::size_t n, std::byte* out) const override {
    W values[block_values];
    load(cell_, records, n, values);
    numbers::cast_or_throw(values, n, to_, overflow_, out);
  }
  void measure(const Records& records, std::size_t n, double* out) const override { load(cell_, records, n, out); }

 private:
  Cell cell_;
  DType to_;
  Overflow overflow_;
};

template <class W>
class Computed final : public Column {
 public:
  Computed(const ColumnSpec& column, DType to, Overflow overflow)
      : steps_(column, false), cell_(column.cell), to_(to), overflow_(overflow), limit_(numbers::cast_limit<W>(to)) {}
  void finish(const Records& records, std::size_t n, std::byte* out) const override {
    W values[block_values];
    if (steps_.only_scales() && is_floating(to_) && scale(records, n, values, out)) return;
    steps_.before_plugin(records, n, values);
    steps_.after_plugin(values, n);
    numbers::cast_or_throw(values, n, to_, overflow_, out);
  }
  void measure(const Records& records, std::size_t n, double* out) const override {
    W values[block_values];
    steps_.before_plugin(records, n, values);
    std::copy(values, values + n, out);
  }

 private:
  /// The common case, with one pass over the values. Whether all went well; else `out` means nothing.
  bool scale(const Records& records, std::size_t n, W* values, std::byte* out) const {
    const auto buffer = reinterpret_cast<std::byte*>(values);
    const std::byte* in = cell_.dtype == own ? contiguous(cell_, records) : nullptr;
    W loaded[block_values];
    if (in == nullptr) {
      load(cell_, records, n, loaded);
      in = reinterpret_cast<const std::byte*>(loaded);
    }
    if (to_ == own) return steps_.scale(in, n, limit_, out);
    if (!steps_.scale(in, n, limit_, buffer)) return false;
    numbers::cast_within(values, n, to_, out);
    return true;
  }

  static constexpr DType own = sizeof(W) == 4 ? DType::float32 : DType::float64;
  Steps<W> steps_;
  Cell cell_;
  DType to_;
  Overflow overflow_;
  W limit_;
};

/// Small integers become floats through the float type that holds them: that is vector code, 64-bit integers are not.
std::unique_ptr<Column> make_cast(const Cell& cell, DType to, Overflow overflow) {
  const auto bytes = size_of(cell.dtype);
  if (is_floating(to) && bytes <= 2 && to != DType::float64) return std::make_unique<Cast<float>>(cell, to, overflow);
  if (is_floating(to) && bytes <= 4) return std::make_unique<Cast<double>>(cell, to, overflow);
  if (is_signed(cell.dtype)) return std::make_unique<Cast<std::int64_t>>(cell, to, overflow);
  return std::make_unique<Cast<std::uint64_t>>(cell, to, overflow);
}

}  // namespace

bool is_copy(const ColumnSpec& column, DType to) {
  return column.cell.kind == CellKind::number && column.cell.dtype == to && !computes(column, false) &&
         (!is_floating(to) || column.nonfinite.kind == Nonfinite::Kind::keep);
}

std::unique_ptr<Column> make_column(const ColumnSpec& column, DType to, Overflow overflow) {
  if (is_copy(column, to)) return std::make_unique<Copied>(column.cell);
  if (!computes(column, false) && !is_floating(column.cell.dtype)) return make_cast(column.cell, to, overflow);
  if (shifts_integers(column)) return make_shifted_integers(column, to, overflow);
  if (computed_wide(column, to)) return std::make_unique<Computed<double>>(column, to, overflow);
  return std::make_unique<Computed<float>>(column, to, overflow);
}

}  // namespace headrace::transform
