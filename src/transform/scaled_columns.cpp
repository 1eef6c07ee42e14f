#include "transform/scaled_columns.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/contract.hpp"
#include "transform/numbers/cast.hpp"
#include "transform/numbers/wide_loop.hpp"

namespace headrace::transform {
namespace {

/// The columns' numbers stand repeated, to about this many: enough for loops, and little of the first-level cache.
constexpr std::size_t pattern_values = 512;

template <class W>
class Scaled final : public ScaledColumns {
 public:
  Scaled(const std::vector<ColumnSpec>& columns, DType to)
      : columns_(columns.size()), to_(to), limit_(numbers::cast_limit<W>(to)), big_endian_(columns[0].cell.big_endian) {
    const auto repeats = std::max<std::size_t>(pattern_values / columns_, 1);
    for (std::size_t i = 0; i < repeats * columns_; ++i) {
      const auto& column = columns[i % columns_];
      shift_.push_back(column.scaled ? static_cast<W>(column.shift) : W(0));
      scale_.push_back(column.scaled ? static_cast<W>(column.scale) : W(1));
      replacement_.push_back(column.nonfinite.kind == Nonfinite::Kind::replace
                                 ? static_cast<W>(column.nonfinite.value)
                                 : std::numeric_limits<W>::quiet_NaN());  // is found by the last check
    }
    for (const auto& column : columns) {
      replaces_ |= column.nonfinite.kind == Nonfinite::Kind::replace;
      adjacent_ &= column.cell.offset == columns[0].cell.offset + offsets_.size() * sizeof(W);
      offsets_.push_back(column.cell.offset);
    }
  }

  bool finish(const Records& records, std::size_t n, std::byte* out) const override {
    EXPECTS(n * columns_ <= block_values);
    W gathered[block_values];
    const std::byte* in = in_place(records);
    if (in == nullptr) {
      gather_records(records, n, reinterpret_cast<std::byte*>(gathered));
      in = reinterpret_cast<const std::byte*>(gathered);
    }
    if (to_ == own) return scale(in, n * columns_, out);
    W values[block_values];
    if (!scale(in, n * columns_, reinterpret_cast<std::byte*>(values))) return false;
    numbers::cast_within(values, n * columns_, to_, out);
    return true;
  }

 private:
  static constexpr DType own = sizeof(W) == 4 ? DType::float32 : DType::float64;
  using Word = std::conditional_t<sizeof(W) == 4, std::uint32_t, std::uint64_t>;

  static std::uint32_t swapped(std::uint32_t word) { return __builtin_bswap32(word); }
  static std::uint64_t swapped(std::uint64_t word) { return __builtin_bswap64(word); }
  bool native() const { return big_endian_ == (std::endian::native == std::endian::big); }

  /// Where the wanted values stand one after another already, in native byte order; else null.
  const std::byte* in_place(const Records& records) const {
    const bool together = records.each == nullptr && adjacent_ && records.stride == columns_ * sizeof(W);
    return together && native() ? records.first + offsets_[0] : nullptr;
  }

  void gather_records(const Records& records, std::size_t n, std::byte* out) const {
    for (std::size_t i = 0; i < n; ++i) {
      const std::byte* record = records[i];
      for (std::size_t c = 0; c < columns_; ++c, out += sizeof(W)) {
        Word word;
        std::memcpy(&word, record + offsets_[c], sizeof(W));
        if (!native()) word = swapped(word);
        std::memcpy(out, &word, sizeof(W));
      }
    }
  }

  /// Steps 3 and 5, and whether 6 has nothing to say.
  bool scale(const std::byte* values, std::size_t count, std::byte* out) const {
    bool good = true;
    for (std::size_t done = 0; done < count; done += shift_.size()) {
      const auto now = std::min(shift_.size(), count - done);
      good &= replaces_ ? scale_piece<true>(values + done * sizeof(W), now, out + done * sizeof(W))
                        : scale_piece<false>(values + done * sizeof(W), now, out + done * sizeof(W));
    }
    return good;
  }

  template <bool replaces>
  bool scale_piece(const std::byte* values, std::size_t count, std::byte* out) const {
    return numbers::run_wide(
        [](const std::byte* from, std::size_t n, const W* shift, const W* by, const W* instead, W most,
           std::byte* __restrict to) HEADRACE_KERNEL {
          unsigned bad = 0;
          for (std::size_t i = 0; i < n; ++i) {
            W x;
            std::memcpy(&x, from + i * sizeof(W), sizeof(W));
            if (replaces) x = std::fabs(x) <= std::numeric_limits<W>::max() ? x : instead[i];
            x = (x - shift[i]) / by[i];
            bad |= std::fabs(x) <= most ? 0u : 1u;
            std::memcpy(to + i * sizeof(W), &x, sizeof(W));
          }
          return bad == 0;
        },
        values, count, shift_.data(), scale_.data(), replacement_.data(), limit_, out);
  }

  std::size_t columns_;
  DType to_;
  W limit_;
  bool big_endian_, adjacent_ = true, replaces_ = false;
  std::vector<W> shift_, scale_, replacement_;  ///< of so many values in a row
  std::vector<std::uint64_t> offsets_;          ///< of each column
};

/// Whether such a column is all that the class above knows about.
bool suits(const ColumnSpec& column, const ColumnSpec& first) {
  return column.cell.kind == CellKind::number && !column.cell.timeval && column.cell.dtype == first.cell.dtype &&
         column.cell.big_endian == first.cell.big_endian && !column.cf && !column.log && !column.tanh_log &&
         column.nonfinite.kind != Nonfinite::Kind::keep;
}

}  // namespace

std::unique_ptr<ScaledColumns> make_scaled_columns(const std::vector<ColumnSpec>& columns, DType to) {
  if (columns.size() < 2 || columns.size() > block_values || to < DType::float16) return nullptr;
  for (const auto& column : columns)
    if (!suits(column, columns[0])) return nullptr;
  if (columns[0].cell.dtype == DType::float32 && to != DType::float64)
    return std::make_unique<Scaled<float>>(columns, to);
  if (columns[0].cell.dtype == DType::float64) return std::make_unique<Scaled<double>>(columns, to);
  return nullptr;
}

}  // namespace headrace::transform
