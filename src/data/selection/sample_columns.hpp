// Columns with one value per sample, read for ranges of samples: what conditions and lists of ids look at.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/selection/column_values.hpp"
#include "mpi/comm.hpp"
#include "reader/load.hpp"

namespace headrace::data::selection {

class SampleColumns {
 public:
  /// names: "dataset.column" or "dataset", each once; columns by name or number. `samples` is the data set that they
  /// must agree with. Throws UsageError where one is not there, is no number and no text, or has several values per
  /// sample; `what` begins the message ("where", "stream 'val': select").
  SampleColumns(const catalog::Contents& contents, const catalog::Catalog& samples);

  /// The number of the column, for values(). Before the first read.
  std::size_t add(const std::string& name, const std::string& what);
  /// The same, of an item as fields have them: with a column in brackets, or names in quotes.
  std::size_t add_item(const std::string& text, const std::string& what);
  bool empty() const { return columns_.empty(); }
  bool is_text(std::size_t column) const { return columns_[column].cell.kind != transform::CellKind::number; }
  bool is_whole(std::size_t column) const;
  /// That are read for each sample.
  std::uint64_t row_bytes() const;

  /// Collective. Reads the intervals, which lie in [first, last); other samples keep values of no meaning.
  void read(const mpi::Comm& comm, std::uint64_t first, std::uint64_t last, std::span<const reader::Interval> intervals,
            const reader::LoadOptions& options);
  /// One value per sample of [first, last).
  const condition::ColumnValues& values(std::size_t column) const { return values_[column]; }

 private:
  struct Column {
    std::string name, dataset;
    transform::Cell cell;                ///< what the values of all files are brought to
    std::vector<transform::Cell> cells;  ///< in each file; a single one: in all
  };
  class Sink;
  void make_catalog();
  void refuse_types(const std::string& what, const std::string& name, const std::string& dataset,
                    const std::vector<transform::Cell>& cells) const;

  const catalog::Contents& contents_;
  const catalog::Catalog& samples_;
  catalog::Catalog catalog_;
  std::vector<Column> columns_;
  std::vector<condition::ColumnValues> values_;
};

}  // namespace headrace::data::selection
