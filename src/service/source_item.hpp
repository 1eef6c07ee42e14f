// One item of a field's source, as the user writes it, and which dataset and columns that is. Pure functions; plain
// values.
//
//   path                 a dataset; of a compound, its columns
//   path.column          one column, without a column axis: a member's name, a number, or parts of one: cov.3, z.real
//   path[column, ...]    columns, as last axis, even for one; 4:8 are those numbers
//
// Dataset names may hold dots: the dataset of that whole name goes first, then the text is parted at the last dot behind
// which there are columns.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::service {

/// The item taken apart as far as that goes without knowing the datasets.
struct SourceItem {
  std::string path;  ///< the text before the brackets, without a leading slash
  bool bracketed = false;
  std::vector<std::string> columns;  ///< inside the brackets

  /// Throws UsageError that shows the text.
  static SourceItem parse(std::string_view text);
};

/// The item with its dataset found.
struct FoundItem {
  std::string dataset;
  std::vector<std::string> columns;  ///< none: the dataset as a whole
  bool column_axis = false;          ///< columns in brackets
};

/// Which of `datasets` the item means; whether that has such columns is not looked at. Throws UsageError that names the
/// datasets there are.
FoundItem find_item(const SourceItem& item, const std::vector<std::string>& datasets);

}  // namespace headrace::service
