#include "transform/encode.hpp"

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/contract.hpp"
#include "base/printable.hpp"
#include "transform/numbers/cast_or_throw.hpp"

namespace headrace::transform {
namespace {

bool is_float(const Cell& cell) {
  return cell.dtype >= DType::float16;
}
bool is_unsigned(const Cell& cell) {
  return cell.dtype == DType::boolean || cell.dtype >= DType::uint8;
}

class Labels final : public Column {
 public:
  Labels(const Cell& cell, std::shared_ptr<const LabelMap> labels, bool one_hot, DType to)
      : cell_(cell), labels_(std::move(labels)), one_hot_(one_hot), to_(to) {
    std::int64_t value = 1;
    numbers::cast(&value, 1, to, numbers::Overflow::error, one_);
  }

  void finish(const Records& records, std::size_t n, std::byte* out) const override {
    std::int64_t codes[block_values];
    if (cell_.kind != CellKind::number)
      look_up_texts(records, n, codes);
    else if (is_float(cell_))
      look_up<double>(records, n, codes);
    else if (is_unsigned(cell_))
      look_up<std::uint64_t>(records, n, codes);
    else
      look_up<std::int64_t>(records, n, codes);
    if (one_hot_)
      place_ones(codes, n, out);
    else
      numbers::cast_or_throw(codes, n, to_, numbers::Overflow::error, out);
  }

  void measure(const Records&, std::size_t, double*) const override { EXPECTS(false); }

 private:
  template <class W>
  void look_up(const Records& records, std::size_t n, std::int64_t* codes) const {
    W values[block_values];
    load(cell_, records, n, values);
    for (std::size_t i = 0; i < n; ++i) {
      const auto code = labels_->code(whole(values[i], i));
      codes[i] = code ? *code : unknown(i, numbers::shown(values[i]));
    }
  }

  template <class W>
  static Whole whole(W value, std::size_t i) {
    if constexpr (std::is_floating_point_v<W>) {
      const auto label = Whole::of(value);
      if (!label)
        throw numbers::BadElement(
            i, fmt::format("label {} is no whole number; cut such samples away with where, or encode "
                           "another column",
                           numbers::shown(value)));
      return *label;
    } else {
      return Whole(value);
    }
  }

  void look_up_texts(const Records& records, std::size_t n, std::int64_t* codes) const {
    for (std::size_t i = 0; i < n; ++i) {
      const auto text = load_text(cell_, records[i]);
      const auto code = labels_->code(text);
      codes[i] = code ? *code : unknown(i, printable(text));
    }
  }

  [[noreturn]] std::int64_t unknown(std::size_t i, const std::string& label) const {
    constexpr std::size_t told = 20;
    std::string classes;
    for (std::size_t c = 0; c < labels_->size() && c < told; ++c) {
      const auto& [name, values] = labels_->classes()[c];
      classes += (c == 0 ? "" : ", ") + name;
      if (values.size() == 1 && values[0] == name) continue;
      for (std::size_t v = 0; v < values.size(); ++v) classes += (v == 0 ? ':' : '|') + printable(values[v]);
    }
    if (labels_->size() > told) classes += fmt::format(", ... ({} in all)", labels_->size());
    throw numbers::BadElement(
        i, fmt::format("label '{}' belongs to no class (classes: {}); add it to a class, or cut such "
                       "samples away with where",
                       label, classes));
  }

  void place_ones(const std::int64_t* codes, std::size_t n, std::byte* out) const {
    const auto size = size_of(to_), record = size * labels_->size();
    std::memset(out, 0, n * record);
    for (std::size_t i = 0; i < n; ++i)
      std::memcpy(out + i * record + static_cast<std::size_t>(codes[i]) * size, one_, size);
  }

  Cell cell_;
  std::shared_ptr<const LabelMap> labels_;
  bool one_hot_;
  DType to_;
  std::byte one_[8] = {};
};

template <class W>
void count_numbers(const Cell& cell, const Records& records, std::size_t n,
                   std::map<std::string, std::uint64_t>& counts) {
  W values[block_values];
  load(cell, records, n, values);
  std::map<W, std::uint64_t> here;
  std::uint64_t undefined = 0;  // NaN has no place in an order
  for (std::size_t i = 0; i < n; ++i) ++(values[i] == values[i] ? here[values[i]] : undefined);
  for (const auto& [value, count] : here) counts[numbers::shown(value)] += count;
  if (undefined > 0) counts["NaN"] += undefined;
}

}  // namespace

std::unique_ptr<Column> make_labels(const Cell& cell, std::shared_ptr<const LabelMap> labels, bool one_hot, DType to) {
  return std::make_unique<Labels>(cell, std::move(labels), one_hot, to);
}

void count_labels(const Cell& cell, const Records& records, std::size_t n,
                  std::map<std::string, std::uint64_t>& counts) {
  if (cell.kind != CellKind::number)
    for (std::size_t i = 0; i < n; ++i) ++counts[std::string(load_text(cell, records[i]))];
  else if (is_float(cell))
    count_numbers<double>(cell, records, n, counts);
  else if (is_unsigned(cell))
    count_numbers<std::uint64_t>(cell, records, n, counts);
  else
    count_numbers<std::int64_t>(cell, records, n, counts);
}

}  // namespace headrace::transform
