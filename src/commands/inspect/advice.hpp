// Where reading will be slow, and what would help. Pure.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "h5/dataset.hpp"

namespace headrace::commands::inspect {

/// One sentence per reason; none for a dataset that reads well.
std::vector<std::string> advice(const h5::DatasetInfo& dataset);
/// The same, knowing what its file says of virtual datasets.
std::vector<std::string> advice(const catalog::FileContents& file, const h5::DatasetInfo& dataset);

/// Stored bytes to bytes, as "1.94"; "" where nothing is filtered or stored.
std::string ratio_text(const h5::DatasetInfo& dataset);

/// "gzip(4)", "shuffle + lzf"; "" for none.
std::string filters_text(const h5::DatasetInfo& dataset);

}  // namespace headrace::commands::inspect
