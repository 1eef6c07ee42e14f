#include "inventory/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <unordered_map>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "inventory/decoders/text_numbers.hpp"

namespace headrace::inventory {

namespace {

/// A cell without the blanks around it and the sign that says nothing: " +5" is 5, as NumPy and pandas have it.
std::string_view plain(std::string_view cell) {
  const auto text = trimmed(cell);
  return text.substr(text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+' ? 1 : 0);
}

/// 007 is a name.
bool has_odd_zero(std::string_view digits) {
  return digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
}

std::optional<std::int64_t> integer_in(std::string_view cell) {
  const auto text = plain(cell);
  std::int64_t number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return has_odd_zero(text.substr(text[0] == '-' ? 1 : 0)) ? std::nullopt : std::optional(number);
}

constexpr std::int64_t most_whole = std::int64_t{1} << 53;  // beyond it, a float64 rounds

std::optional<double> number_in(std::string_view cell) {
  const auto text = plain(cell);
  const auto number = number_of(text);
  if (!number) return std::nullopt;
  const auto digits = text.substr(text[0] == '-' ? 1 : 0);
  if (has_odd_zero(digits)) return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return number;
  const auto exact = integer_in(text);  // where that is none, digits would go
  return exact && *exact >= -most_whole && *exact <= most_whole ? number : std::nullopt;
}

h5::Member member_of(ColumnKind kind, const std::string& name, std::uint64_t offset, std::uint64_t longest) {
  h5::Member member{.name = name, .offset = offset, .type = {}};
  if (kind == ColumnKind::text)
    member.type = {.kind = h5::Kind::string, .size = longest, .padding = h5::Padding::null_padded, .utf8 = true};
  else if (kind == ColumnKind::integer)
    member.type = {.kind = h5::Kind::integer, .size = 8, .is_signed = true};
  else
    member.type = {.kind = h5::Kind::floating, .size = 8};
  return member;
}

}  // namespace

Table::Table(std::string text, std::string path, const std::string& id)
    : csv_(std::move(text), path), path_(std::move(path)) {
  id_ = column(id);
  std::unordered_map<std::string_view, std::size_t> seen;
  seen.reserve(csv_.rows());
  for (std::size_t row = 0; row < csv_.rows(); ++row) {
    const auto name = csv_.at(row, id_);
    const auto [before, is_new] = seen.emplace(name, row);
    if (!is_new)
      throw Error(fmt::format("{}: id '{}' stands in lines {} and {} (a sample would come twice); give each its own",
                              path_, printable(name), csv_.line_of(before->second), csv_.line_of(row)));
    kept_.push_back(static_cast<std::uint32_t>(row));
  }
  if (kept_.empty()) throw Error(path_ + " has no samples (there is no line after the header); add some");
  settle_types();
}

std::string Table::folder() const {
  const auto folder = std::filesystem::path(path_).parent_path().string();
  return folder.empty() || folder.ends_with('/') ? folder : folder + "/";
}

std::size_t Table::column(const std::string& name) const {
  const auto& all = csv_.columns();
  const auto at = std::find(all.begin(), all.end(), name);
  if (at != all.end()) return static_cast<std::size_t>(at - all.begin());
  const bool other = all.size() == 1 && all[0].find_first_of(";\t") != std::string::npos;
  throw Error(fmt::format(
      "{} has no column '{}'{}", path_, name,
      other ? " (its values are not parted by commas); write it anew with commas" : did_you_mean(name, all)));
}

std::string Table::place(std::size_t row) const {
  return fmt::format("line {} of {}, id '{}'", line_of(row), path_, printable(id(row)));
}

void Table::drop(const std::vector<std::size_t>& ascending) {
  std::vector<std::uint32_t> left;
  auto next = ascending.begin();
  for (std::size_t row = 0; row < kept_.size(); ++row)
    if (next != ascending.end() && *next == row)
      ++next;
    else
      left.push_back(kept_[row]);
  kept_ = std::move(left);
  settle_types();
}

std::string Table::header(std::string_view without) const {
  std::string text;
  for (const auto& column : columns())
    if (column != without) text += (text.empty() ? "" : ",") + csv_value(column);
  return text;
}

std::string Table::line(std::size_t row, std::string_view without) const {
  std::string text;
  bool first = true;
  for (std::size_t c = 0; c < columns().size(); ++c) {
    if (columns()[c] == without) continue;
    text += (first ? "" : ",") + csv_value(at(row, c));
    first = false;
  }
  return text;
}

void Table::settle_types() {
  kinds_.clear();
  record_ = {.kind = h5::Kind::compound};
  for (std::size_t c = 0; c < columns().size(); ++c) {
    bool integers = c != id_, numbers = c != id_, filled = false;
    std::uint64_t longest = 1;
    for (std::size_t row = 0; row < rows(); ++row) {
      const auto value = at(row, c);
      longest = std::max<std::uint64_t>(longest, value.size());
      filled = filled || !value.empty();
      integers = integers && !value.empty() && integer_in(value);
      numbers = numbers && (value.empty() || number_in(value));
    }
    // As integers, a member of this name would say which of a compound's records are real.
    integers = integers && columns()[c] != "valid";
    kinds_.push_back(integers ? ColumnKind::integer : numbers && filled ? ColumnKind::number : ColumnKind::text);
    record_.members.push_back(member_of(kinds_.back(), columns()[c], record_.size, longest));
    record_.size += record_.members.back().type.size;
  }
}

std::optional<OddCell> Table::odd_cell(std::size_t column) const {
  if (kind(column) != ColumnKind::text || column == id_) return std::nullopt;
  OddCell odd{rows(), 0, 0};
  for (std::size_t row = 0; row < rows(); ++row) {
    const auto value = at(row, column);
    if (value.empty()) continue;
    ++odd.filled;
    odd.numbers += number_in(value) || integer_in(value) ? 1 : 0;
    if (odd.row == rows() && !number_in(value)) odd.row = row;
  }
  return odd.row < rows() ? std::optional(odd) : std::nullopt;
}

std::int64_t Table::integer(std::size_t row, std::size_t column) const {
  return *integer_in(at(row, column));
}

double Table::number(std::size_t row, std::size_t column) const {
  const auto value = at(row, column);
  return value.empty() ? std::numeric_limits<double>::quiet_NaN() : *number_in(value);
}

void Table::write_record(std::size_t row, std::byte* to) const {
  for (std::size_t c = 0; c < kinds_.size(); ++c) {
    const auto value = at(row, c);
    auto* here = to + record_.members[c].offset;
    if (kinds_[c] == ColumnKind::text) {
      const auto size = record_.members[c].type.size;
      std::memcpy(here, value.data(), value.size());
      std::memset(here + value.size(), 0, size - value.size());
    } else if (kinds_[c] == ColumnKind::integer) {
      const std::int64_t number = integer(row, c);
      std::memcpy(here, &number, sizeof number);
    } else {
      const double number = this->number(row, c);
      std::memcpy(here, &number, sizeof number);
    }
  }
}

}  // namespace headrace::inventory
