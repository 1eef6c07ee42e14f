#include "data/selection/bins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "base/contract.hpp"

namespace headrace::data::selection {

namespace {

constexpr std::size_t at_a_time = 1024;  // samples, whose sums and flags stay in the first cache

}  // namespace

Bins::Bins(std::vector<config::BinAxis> axes) : axes_(std::move(axes)), made_(axes_.size()), stride_(axes_.size()) {
  for (std::size_t a = axes_.size(); a-- > 0;) {
    stride_[a] = size_;
    size_ *= bins_of(a);
    made_[a] = axis_of(axes_[a].edges, stride_[a]);
  }
}

void Bins::find(std::span<const condition::ColumnValues* const> values, std::span<std::uint32_t> out) const {
  EXPECTS(values.size() == axes_.size());
  std::array<std::uint8_t, at_a_time> flags;
  for (std::size_t first = 0; first < out.size(); first += at_a_time) {
    const auto sums = out.subspan(first, std::min(at_a_time, out.size() - first));
    const auto wrong = std::span(flags).first(sums.size());
    std::ranges::fill(sums, 0);
    std::ranges::fill(wrong, 0);
    bool any_wrong = false;
    for (std::size_t a = 0; a < axes_.size(); ++a)
      std::visit(
          [&](const auto& numbers) {
            if constexpr (std::is_arithmetic_v<typename std::decay_t<decltype(numbers)>::value_type>)
              any_wrong |= add_bins(made_[a], axes_[a].absolute, numbers.data() + first, sums, wrong);
          },
          *values[a]);
    for (std::size_t i = 0; any_wrong && i < sums.size(); ++i)
      if (wrong[i] != 0) sums[i] = (wrong[i] & is_nan) != 0 ? nan : outside;
  }
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
