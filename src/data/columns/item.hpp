// One item of a source against the dataset that it names: which cells of a record are its columns, and how a row of the
// dataset falls into records. Pure functions; plain values.
//
//   plain dataset, row (a, b, c)    records a * b, c columns without names; some by number: path.4, path[0, 4:8]
//   plain dataset, row ()           one record of one column, no column axis
//   compound, row (tracks)          records tracks; columns: the members asked for, else all numeric ones but `valid`;
//                                   a member that is an array is several columns, NAME_0, NAME_1, ...
//   variable-length rows            ragged; records of the base type
//
// An array type is as many more axes of the row, a complex number an axis of two (real, imag); where they are named,
// texts of fixed length and opaque values are rows of their bytes.
//
// Files may hold the dataset in types that differ: each column is found in each of them by its name.
#pragma once

#include "data/columns/find_item.hpp"
#include "data/columns/item_layout.hpp"

namespace headrace::data::columns {

/// Throws UsageError for columns that are not there (they are absent where `missing`) and types that no field can hold;
/// texts pass as such where `texts`. Files whose types cannot be brought together are named with both types.
ItemLayout lay_out(const FoundItem& found, const RawDataset& dataset, bool missing, bool texts);

/// A plain dataset's last axis as records, not as columns.
void turn_columns_to_records(ItemLayout& item);

/// All columns of a plain dataset, each by itself.
void expand_columns(ItemLayout& item);
/// A plain dataset whose columns are told apart: by expand_columns, or since texts are not of one length in all files.
bool is_expanded(const ItemLayout& item);
std::uint64_t column_count(const ItemLayout& item);

/// The product of the extents. Throws UsageError where 64 bits do not hold it.
std::uint64_t product(const Extents& extents);
/// "(40, 21)"
std::string text_of(const Extents& extents);

}  // namespace headrace::data::columns
