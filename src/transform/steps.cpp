#include "transform/steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "transform/numbers/bad_element.hpp"
#include "transform/numbers/logarithm.hpp"
#include "transform/numbers/wide_loop.hpp"

namespace headrace::transform {
namespace {

template <class W>
bool finite(W value) {
  return std::fabs(value) <= std::numeric_limits<W>::max();
}

template <class W>
bool all_finite(const W* values, std::size_t n) {
  return numbers::run_wide(
      [](const W* in, std::size_t count) HEADRACE_KERNEL {
        unsigned bad = 0;
        for (std::size_t i = 0; i < count; ++i) bad |= finite(in[i]) ? 0u : 1u;
        return bad == 0;
      },
      values, n);
}

template <class W>
std::size_t first_not_finite(const W* values, std::size_t n) {
  return static_cast<std::size_t>(std::find_if_not(values, values + n, finite<W>) - values);
}

template <class W>
void unpack(const CfDecoding& cf, const double* raw, std::size_t n, W* values) {
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<W>(raw[i]);
  if (!cf.scaled) return;
  const W factor = static_cast<W>(cf.scale_factor), offset = static_cast<W>(cf.add_offset);
  for (std::size_t i = 0; i < n; ++i) values[i] *= factor;
  for (std::size_t i = 0; i < n; ++i) values[i] += offset;
}

/// tanh(sign(x) log(1 + |x|) / 2) is x / (|x| + 2), without the detour and its roundings.
template <class W>
W tanh_log(W value) {
  const W size = std::fabs(value);
  return size > std::numeric_limits<W>::max() ? std::copysign(W(1), value) : value / (size + W(2));
}

}  // namespace

template <class W>
bool Steps<W>::only_scales() const {
  return column_.scaled && !column_.cf && !column_.log && !column_.tanh_log &&
         column_.nonfinite.kind == Nonfinite::Kind::error;
}

template <class W>
bool Steps<W>::scale(const std::byte* in, std::size_t n, W limit, std::byte* out) const {
  return numbers::run_wide(
      [](const std::byte* from, std::size_t count, W shift, W scale, W most, std::byte* to) HEADRACE_KERNEL {
        unsigned bad = 0;
        for (std::size_t i = 0; i < count; ++i) {
          W x;
          std::memcpy(&x, from + i * sizeof(W), sizeof(W));
          x = (x - shift) / scale;
          bad |= std::fabs(x) <= most ? 0u : 1u;
          std::memcpy(to + i * sizeof(W), &x, sizeof(W));
        }
        return bad == 0;
      },
      in, n, shift_, scale_, limit, out);
}

template <class W>
Steps<W>::Steps(const ColumnSpec& column, bool has_plugin)
    : column_(column), shift_(static_cast<W>(column.shift)), scale_(static_cast<W>(column.scale)) {
  const bool computes =
      column.log || column.tanh_log || column.scaled || has_plugin || (column.cf.has_value() && column.cf->scaled);
  check_last_ = computes && column.nonfinite.kind != Nonfinite::Kind::keep;
  if (column.cf && column.cf->read_as) column_.cell.dtype = *column.cf->read_as;
  if (column.cf) set_fills(*column.cf);
  if (column.nonfinite.kind == Nonfinite::Kind::replace && !finite(static_cast<W>(column.nonfinite.value)))
    throw UsageError(
        fmt::format("nonfinite: {}, which takes the place of NaN in column '{}', is not finite in {}; give "
                    "another number{}",
                    numbers::shown(column.nonfinite.value), column.name, sizeof(W) == 4 ? "float32" : "float64",
                    sizeof(W) == 4 ? ", or dtype = \"float64\"" : ""));
  if (!column.scaled) return;
  const auto refuse = [&](const char* key, double value) {
    throw UsageError(fmt::format("{} of column '{}' is {} (values would not be finite in {}); give a finite {}{}", key,
                                 column.name, numbers::shown(value), sizeof(W) == 4 ? "float32" : "float64", key,
                                 key[1] == 'c' ? " other than 0, or list the column in raw" : ""));
  };
  if (!finite(scale_) || scale_ == 0) refuse("scale", column.scale);
  if (!finite(shift_)) refuse("shift", column.shift);
}

/// Fill values as the file's type holds them: integers of 64 bits as they are, all others as double.
template <class W>
void Steps<W>::set_fills(const CfDecoding& cf) {
  const auto stored = column_.cell.dtype;
  const bool wide = stored == DType::int64 || stored == DType::uint64;
  const auto add = [&](Whole fill) {
    if (stored == DType::int64 ? !fill.beyond_int64() : !fill.negative()) fill_bits_.push_back(fill.bits());
  };
  for (const double fill : cf.fill_values)
    if (!wide)
      fills_.push_back(stored == DType::float32 ? static_cast<double>(static_cast<float>(fill)) : fill);
    else if (const auto whole = Whole::of(fill))
      add(*whole);
  for (const auto fill : cf.whole_fills)
    if (wide)
      add(fill);
    else
      fills_.push_back(fill.as_double());
}

template <class W>
void Steps<W>::load_bits(const Records& records, std::size_t n, std::uint64_t* bits) const {
  if (column_.cell.dtype == DType::uint64) return load(column_.cell, records, n, bits);
  std::int64_t values[block_values];
  load(column_.cell, records, n, values);
  std::memcpy(bits, values, n * sizeof *bits);
}

/// NetCDF's way: fill values are found before anything is computed; two roundings, as in xarray.
template <class W>
void Steps<W>::decode(const Records& records, std::size_t n, W* values) const {
  double raw[block_values];
  load(column_.cell, records, n, raw);
  if (!fill_bits_.empty()) {
    std::uint64_t exact[block_values];
    load_bits(records, n, exact);
    for (const auto fill : fill_bits_)
      for (std::size_t i = 0; i < n; ++i) raw[i] = exact[i] == fill ? std::numeric_limits<double>::quiet_NaN() : raw[i];
  }
  for (const double as_stored : fills_)
    for (std::size_t i = 0; i < n; ++i)
      raw[i] = raw[i] == as_stored ? std::numeric_limits<double>::quiet_NaN() : raw[i];
  // What xarray gives in float32 is computed in float32, also where everything after it is not.
  const auto stored = column_.cell.dtype;
  const bool is_short = size_of(stored) <= 2 || stored == DType::float32;
  if (sizeof(W) == 8 && column_.cf->dtype == DType::float32 && is_short) {
    float narrow[block_values];
    unpack(*column_.cf, raw, n, narrow);
    std::copy(narrow, narrow + n, values);
  } else {
    unpack(*column_.cf, raw, n, values);
  }
}

template <class W>
void Steps<W>::treat_nonfinite(W* values, std::size_t n) const {
  if (column_.nonfinite.kind == Nonfinite::Kind::keep || all_finite(values, n)) return;
  if (column_.nonfinite.kind == Nonfinite::Kind::error) {
    const auto at = first_not_finite(values, n);
    throw numbers::BadElement(
        at, fmt::format("the value is {} (nonfinite = \"error\", also where values are computed or cast "
                        "and nothing else is said); set nonfinite to \"keep\", \"default\" or a number",
                        numbers::shown(values[at])));
  }
  const auto replacement = static_cast<W>(column_.nonfinite.value);
  for (std::size_t i = 0; i < n; ++i) values[i] = finite(values[i]) ? values[i] : replacement;
}

template <class W>
void Steps<W>::take_log(W* values, std::size_t n) const {
  const bool positive = numbers::run_wide(
      [](const W* x, std::size_t count) HEADRACE_KERNEL {
        unsigned bad = 0;
        for (std::size_t i = 0; i < count; ++i) bad |= x[i] <= 0 ? 1u : 0u;
        return bad == 0;
      },
      values, n);
  if (positive) [[likely]]
    return numbers::take_logarithms(values, n);
  const auto at = std::find_if(values, values + n, [](W value) { return value <= 0; }) - values;
  throw numbers::BadElement(
      static_cast<std::size_t>(at),
      fmt::format("log of {} (only positive values have one); leave the column out of log, or cut "
                  "such samples away with where",
                  numbers::shown(values[at])));
}

template <class W>
void Steps<W>::before_plugin(const Records& records, std::size_t n, W* values) const {
  if (column_.cf)
    decode(records, n, values);
  else
    load(column_.cell, records, n, values);
  treat_nonfinite(values, n);
  if (column_.log) take_log(values, n);
  if (column_.tanh_log)
    numbers::run_wide(
        [](W* x, std::size_t count) HEADRACE_KERNEL {
          for (std::size_t i = 0; i < count; ++i) x[i] = tanh_log(x[i]);
        },
        values, n);
}

template <class W>
void Steps<W>::after_plugin(W* values, std::size_t n) const {
  bool good = true;
  if (column_.scaled) {
    W before[block_values];
    std::copy(values, values + n, before);
    good = scale(reinterpret_cast<const std::byte*>(before), n, std::numeric_limits<W>::max(),
                 reinterpret_cast<std::byte*>(values));
  } else if (check_last_) {
    good = all_finite(values, n);
  }
  if (good || !check_last_) [[likely]]
    return;
  const auto at = first_not_finite(values, n);
  throw numbers::BadElement(
      at, fmt::format("the computed value is {} (beyond {}, or not defined); set nonfinite = \"keep\", or "
                      "another shift or scale",
                      numbers::shown(values[at]), sizeof(W) == 4 ? "float32" : "float64"));
}

template class Steps<float>;
template class Steps<double>;

}  // namespace headrace::transform
