// An item of a source laid out: its columns as cells of records, and the axes of those. Plain values, made by item.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/columns/raw_dataset.hpp"
#include "transform/field_spec.hpp"

namespace headrace::data::columns {

using Extents = std::vector<std::uint64_t>;

/// Where a column's values stand in one file.
struct ColumnInFile {
  transform::Cell cell{};
  const h5::TypeInfo* type = nullptr;  ///< of the value, in the RawDataset; nullptr: the column is absent
  std::optional<std::uint8_t> pad{};   ///< of a byte beyond the end of the file's texts, which are longer elsewhere
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

}  // namespace headrace::data::columns
