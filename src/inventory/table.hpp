// The table of an inventory: its samples by id, and its columns as the numbers or texts that they are. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "h5/types.hpp"
#include "inventory/csv.hpp"

namespace headrace::inventory {

/// What all values of a column are. Texts are all that would not be the same when written out of the number again, but
/// for the ways of writing a fraction, blanks around it and a plus: 007, whole numbers that int64 does not hold, nor
/// float64 beside fractions and gaps.
enum class ColumnKind { integer, number, text };

/// Why a column is one of texts, where others of its cells are numbers.
struct OddCell {
  std::size_t row = 0;                  ///< the first that is none
  std::size_t numbers = 0, filled = 0;  ///< cells that are, and that are not empty
};

class Table {
 public:
  /// Throws Error: no CSV, no such column (names those that are there), an id that comes twice (names both lines).
  Table(std::string text, std::string path, const std::string& id);

  const std::string& path() const { return path_; }
  std::string folder() const;  ///< that it lies in, with its slash; "": the working directory
  std::size_t rows() const { return kept_.size(); }
  const std::vector<std::string>& columns() const { return csv_.columns(); }
  std::size_t column(const std::string& name) const;  ///< Throws Error that lists those there
  std::string_view at(std::size_t row, std::size_t column) const { return csv_.at(kept_[row], column); }
  bool is_id(std::size_t column) const { return column == id_; }
  std::string_view id(std::size_t row) const { return at(row, id_); }
  std::size_t line_of(std::size_t row) const { return csv_.line_of(kept_[row]); }
  /// "line 17 of inventory.csv, id 'x'"
  std::string place(std::size_t row) const;

  /// Rows that go; the others keep their order.
  void drop(const std::vector<std::size_t>& ascending);
  /// Of a file that lists some of the samples: its header, and a line, without the column of that name.
  std::string header(std::string_view without) const;
  std::string line(std::size_t row, std::string_view without) const;

  ColumnKind kind(std::size_t column) const { return kinds_[column]; }
  std::int64_t integer(std::size_t row, std::size_t column) const;  ///< of a column of integers
  /// Of a column of texts that is not the ids: nothing where it is none, or empty.
  std::optional<OddCell> odd_cell(std::size_t column) const;
  double number(std::size_t row, std::size_t column) const;  ///< of a column of numbers; NaN: nothing stands there

  /// A row as a compound of all columns.
  const h5::TypeInfo& record() const { return record_; }
  void write_record(std::size_t row, std::byte* to) const;

 private:
  void settle_types();

  Csv csv_;
  std::string path_;
  std::size_t id_ = 0;
  std::vector<std::uint32_t> kept_;  // lines of the CSV
  std::vector<ColumnKind> kinds_;
  h5::TypeInfo record_;
};

/// What the path of an inventory is for a sample: "data/{id}.npy" with the values of its line put in.
class PathTemplate {
 public:
  /// Throws Error for a column that is not there.
  PathTemplate(const std::string& path, const Table& table);

  bool is_url() const { return url_; }
  /// Into `path`, which keeps its memory. Throws Error for a file:// that leads out of the table's folder.
  void make(const Table& table, std::size_t row, std::string& path) const;

 private:
  std::string folder_;                // of the table, with its slash
  std::vector<std::string> between_;  // texts around the columns; one more than there are columns
  std::vector<std::size_t> columns_;
  bool url_ = false;
};

}  // namespace headrace::inventory
