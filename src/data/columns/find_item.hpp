// Which dataset, and which of its columns, a source means. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/source_item.hpp"
#include "data/columns/raw_dataset.hpp"

namespace headrace::data::columns {

/// The item with its dataset found.
struct FoundItem {
  std::string dataset;
  std::vector<std::string> columns;  ///< none: the dataset as a whole
  bool column_axis = false;          ///< columns in brackets
};

/// Which of `datasets` the item means; whether that has such columns is not looked at. Throws UsageError that names the
/// datasets there are.
FoundItem find_item(const config::SourceItem& item, const RawDatasets& datasets);

}  // namespace headrace::data::columns
