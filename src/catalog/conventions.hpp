// What a file's attribute Conventions says about packed values. Pure.
#pragma once

#include <string>
#include <vector>

namespace headrace::catalog {

/// All that the attribute holds as one text: an array of strings is a list, one of single characters a word.
std::string conventions_text(const std::vector<std::string>& texts);

/// Whether some convention that is named gives scale_factor, add_offset, _FillValue and the like their meaning: CF and
/// what builds on it or on the NetCDF User Guide (COARDS, ACDD, NUG, UGRID, ...), alone or in a list, in either case.
bool implies_packing(const std::string& conventions);

}  // namespace headrace::catalog
