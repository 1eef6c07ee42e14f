// One item of a source against the dataset that it names: which cells of a record are its columns, and how a row of the
// dataset falls into records. Pure functions; plain values.
//
//   plain dataset, row (a, b, c)    records a * b, c columns without names; some of them by number: path.4, path[0,
//   4:8] plain dataset, row ()           one record of one column, no column axis compound, row (tracks) records
//   tracks; columns: the members asked for, else all numeric ones but `valid`;
//                                   a member that is an array is several columns, NAME_0, NAME_1, ...
//   variable-length rows            ragged; records of the base type
//
// An array type is as many more axes of the row, a complex number an axis of two (real, imag); where they are named,
// texts of fixed length and opaque values are rows of their bytes.
//
// Files may hold the dataset in types that differ: each column is found in each of them by its name.
#pragma once

#include "data/columns/find_item.hpp"
#include "data/columns/raw_dataset.hpp"
#include "transform/field_spec.hpp"

namespace headrace::data::columns {

using Extents = std::vector<std::uint64_t>;

/// Where a column's values stand in one file.
struct ColumnInFile {
  transform::Cell cell{};
  const h5::TypeInfo* type = nullptr;  ///< of the value, in the RawDataset; nullptr: the column is absent
  bool operator==(const ColumnInFile&) const = default;
};

struct ItemColumn {
  std::string name;    ///< "" where the dataset has no named columns
  std::string path{};  ///< as users write it behind the dataset's: "cov.3", "z.real"; a plain dataset's: its number
  std::vector<std::string> steps{};     ///< from a compound to the value; of a byte, to what it is a byte of
  std::optional<std::uint64_t> byte{};  ///< of a text or an opaque value
  transform::Cell cell{};
  const h5::TypeInfo* type = nullptr;   ///< of the value, in the first file that has it; nullptr: in none
  std::vector<ColumnInFile> in_file{};  ///< in each file, where they differ; else empty
};

/// How a row falls into records in one file.
struct ItemInFile {
  transform::RawRows raw;
  std::optional<transform::Cell> valid;
  bool operator==(const ItemInFile&) const = default;
};

struct ItemLayout {
  const RawDataset* dataset = nullptr;  ///< nullptr: absent
  std::string path;                     ///< of the dataset
  transform::RawRows raw;
  std::vector<ItemColumn> columns;
  bool plain = false;             ///< numbers without names; `columns` holds the first of `width`
  bool picked = false;            ///< some columns of a plain dataset, by number; all of them stand in `columns`
  std::uint64_t picked_from = 1;  ///< how many there are to pick from
  std::uint64_t width = 1;        ///< extent of a plain dataset's column axis
  bool column_axis = false;
  Extents tracks;                        ///< axes of the records; of ragged rows: none yet
  std::optional<transform::Cell> valid;  ///< the compound's own member `valid`
  std::vector<ItemInFile> in_file{};     ///< in each file, where they differ; else empty
};

/// Throws UsageError for columns that are not there (they are absent where `missing`) and types that no field can hold;
/// texts pass as such where `texts`. Files whose types cannot be brought together are named with both types.
ItemLayout lay_out(const FoundItem& found, const RawDataset& dataset, bool missing, bool texts);

/// A plain dataset's last axis as records, not as columns.
void turn_columns_to_records(ItemLayout& item);

/// All columns of a plain dataset, each by itself.
void expand_columns(ItemLayout& item);
std::uint64_t column_count(const ItemLayout& item);

/// The product of the extents. Throws UsageError where 64 bits do not hold it.
std::uint64_t product(const Extents& extents);
/// "(40, 21)"
std::string text_of(const Extents& extents);

}  // namespace headrace::data::columns
