// A field over files that hold its datasets in different types, places or packings: what it is in each of them. Pure
// functions.
#pragma once

#include "data/fields/draft.hpp"

namespace headrace::data::fields {

/// The field for the rows of one file.
transform::FieldSpec as_in_file(std::size_t file, const ResolvedField& resolved);

/// In how many files it is told for each by itself; 0: it is the same in all.
std::size_t files_told_apart(const ResolvedField& resolved);

/// Whether it is the same in these two.
bool same_in_files(const ResolvedField& resolved, std::size_t a, std::size_t b);

/// Throws UsageError that names two files and their types, unless one type holds the column's values of all files:
/// `common`, that NumPy would choose for them.
void require_lossless(const ColumnPlace& column, DType common, bool has_plugin);

}  // namespace headrace::data::fields
