// Comma-separated values as RFC 4180 has them, taken apart. Pure; a plain value afterwards, read by any thread.
//
//   1. Quotes around a value may hold commas, line ends and, doubled, quotes.
//   2. Lines end with LF, CRLF or CR; empty lines are no lines. A byte order mark before the first is no part of it.
//   3. Every line has as many values as the first, which names the columns: each once, none empty.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::inventory {

class Csv {
 public:
  /// Throws Error that begins with `name` and tells the line.
  Csv(std::string text, const std::string& name);

  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t rows() const { return lines_.size(); }
  std::string_view at(std::size_t row, std::size_t column) const { return cells_[row * columns_.size() + column]; }
  std::size_t line_of(std::size_t row) const { return lines_[row]; }  ///< where it begins; the header's is 1

 private:
  friend class CsvReader;
  std::unique_ptr<std::string> text_;  // that the cells are parts of, wherever this moves to
  std::vector<std::string> columns_;
  std::vector<std::string_view> cells_;
  std::vector<std::uint32_t> lines_;
};

/// A value as it stands in a line: between quotes where it must.
std::string csv_value(std::string_view text);

}  // namespace headrace::inventory
