// One item of a field's source, as the user writes it, and which dataset and columns that is. Pure functions; plain
// values.
//
//   path                 a dataset; of a compound, its columns
//   path.column          one column, without a column axis: a member's name, a number, or parts of one: cov.3, z.real
//   path[column, ...]    columns, as last axis, even for one; 4:8 are those numbers
//   `a name`.column      a name between backquotes (or double quotes) is taken as it stands: brackets, dots, commas
//
// Dataset names may hold dots and brackets: the dataset of that whole name goes first, then the text is parted at the
// last dot behind which there are columns. Quotes stand around whole parts of a name: at its beginning, behind '/' or
// behind '.'.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::config {

/// The item taken apart as far as that goes without knowing the datasets.
struct SourceItem {
  std::string path;  ///< the text before the brackets, without quotes and leading slash
  bool bracketed = false;
  std::vector<std::string> columns;  ///< inside the brackets, without quotes
  std::vector<std::size_t> dots;     ///< of `path`, that no quotes hold; ascending
  bool quoted = false;               ///< some of the path was in quotes
  std::string whole;  ///< the text as written, blanks too, without a leading slash; "" where something is quoted

  /// Throws UsageError that shows the text.
  static SourceItem parse(std::string_view text);
};

/// An item of one column as conditions name it, "path" or "path.column" without quotes; of several columns, the text as
/// it is. has: whether there is a dataset of that path.
std::string plain_name(const std::string& text, const std::function<bool(const std::string&)>& has);

/// A dataset's path as an item: between backquotes where it would be read as something else without.
std::string as_item(const std::string& path);

}  // namespace headrace::config
