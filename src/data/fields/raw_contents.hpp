// Scanned files as datasets to resolve fields against.
#pragma once

#include "catalog/catalog.hpp"
#include "data/columns/raw_dataset.hpp"

namespace headrace::data::fields {

/// Every dataset that has an axis of samples (or of table rows) and rows of one shape in all files that have it,
/// aliases under their own names; its types may differ. One whose shapes do, or that cannot be opened, is left out, and
/// told in `left_out`. The contents must live as long: errors are told with what they say of links.
columns::RawDatasets raw_datasets(const catalog::Contents& contents, std::vector<catalog::LeftOut>* left_out = nullptr);

}  // namespace headrace::data::fields
