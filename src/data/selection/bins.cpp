#include "data/selection/bins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"

namespace headrace::data::selection {

namespace {

constexpr std::size_t buckets_per_bin = 4;

}  // namespace

Bins::Bins(std::vector<config::BinAxis> axes) : axes_(std::move(axes)), stride_(axes_.size()) {
  for (std::size_t a = axes_.size(); a-- > 0;) {
    stride_[a] = size_;
    size_ *= bins_of(a);
  }
  for (const auto& axis : axes_) {
    const auto& edges = axis.edges;
    const auto buckets = buckets_per_bin * (edges.size() - 1);
    Guess guess{edges.front(), static_cast<double>(buckets) / (edges.back() - edges.front()), {}};
    for (std::size_t i = 0, bin = 0; i < buckets; ++i) {
      const auto begin = guess.first + static_cast<double>(i) / guess.per_width;
      while (bin + 2 < edges.size() && edges[bin + 1] <= begin) ++bin;
      guess.bins.push_back(static_cast<std::uint32_t>(bin));
    }
    guesses_.push_back(std::move(guess));
  }
}

template <class Number>
void Bins::find_along(std::size_t axis, const std::vector<Number>& values, std::span<std::uint32_t> out) const {
  const auto& [first, per_width, bins] = guesses_[axis];
  const auto& edges = axes_[axis].edges;
  const auto last = static_cast<double>(bins.size() - 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto value = static_cast<double>(values[i]);
    if (axes_[axis].absolute) value = std::fabs(value);
    if (!(value >= edges.front() && value <= edges.back())) {
      if (out[i] != nan) out[i] = std::isnan(value) ? nan : outside;
      continue;
    }
    if (out[i] >= nan) continue;
    std::size_t bin = bins[static_cast<std::size_t>(std::min((value - first) * per_width, last))];
    while (bin > 0 && value < edges[bin]) --bin;
    while (bin + 2 < edges.size() && value >= edges[bin + 1]) ++bin;
    out[i] += static_cast<std::uint32_t>(bin) * stride_[axis];
  }
}

void Bins::find(std::span<const condition::ColumnValues* const> values, std::span<std::uint32_t> out) const {
  EXPECTS(values.size() == axes_.size());
  std::ranges::fill(out, 0);
  for (std::size_t a = 0; a < axes_.size(); ++a)
    std::visit(
        [&](const auto& numbers) {
          if constexpr (std::is_arithmetic_v<typename std::decay_t<decltype(numbers)>::value_type>)
            find_along(a, numbers, out);
        },
        *values[a]);
}

std::string Bins::text(std::uint32_t bin) const {
  std::string text;
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const auto at = along(a, bin);
    text += fmt::format("{}{} from {:g} to {:g}", a == 0 ? "" : ", ", name_of(axes_[a]), axes_[a].edges[at],
                        axes_[a].edges[at + 1]);
  }
  return text;
}

std::string name_of(const config::BinAxis& axis) {
  return axis.absolute ? "abs(" + axis.item + ")" : axis.item;
}

}  // namespace headrace::data::selection
