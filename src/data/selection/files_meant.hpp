// Which files of a catalog patterns mean, and which samples. Pure, but for links, which the file system is asked about.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "plan/selection.hpp"

namespace headrace::data::selection {

/// By file, whether the patterns mean it; `used`: by pattern, whether it means any.
std::vector<bool> files_meant(const std::vector<std::string>& patterns, const catalog::Catalog& catalog,
                              std::vector<bool>& used);

/// The samples [first, last) of those files, ascending, neighbours as one; nothing where the patterns mean none.
std::vector<plan::Range> samples_meant(const std::vector<std::string>& patterns, const catalog::Catalog& catalog);

/// The lines of an inventory that it was told to do without: other samples have these numbers then. "" where it has all.
std::string samples_left_out(const catalog::Catalog& catalog);

}  // namespace headrace::data::selection
