// What a field is resolved from, and what comes of it: the values that resolve.hpp and its neighbours hand on. Plain
// values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/schema.hpp"
#include "config/config.hpp"
#include "data/columns/raw_dataset.hpp"
#include "data/fields/cf.hpp"
#include "data/fields/scale_file.hpp"
#include "transform/field_spec.hpp"

namespace headrace::data::fields {

struct ResolveInput {
  const config::FieldConfig& config;
  const columns::RawDatasets& datasets;
  const ScaleFile* scales = nullptr;                       ///< contents of scale-file, where there is one
  const std::vector<std::string>* label_values = nullptr;  ///< the values that the labels have in the files, any order
  std::shared_ptr<transform::Plugin> plugin{};             ///< loaded, where there is one
  /// For statistics: nothing is scaled, scale-file is not needed, columns are told apart.
  bool measuring = false;
};

/// A dataset that must be read for a field.
struct DatasetNeed {
  enum class For { values, validity, join_ids } what = For::values;
  std::string path;
  bool operator==(const DatasetNeed&) const = default;
};

/// How the caller finds out which records are real, for items with ValidSpec::From::outside and for the mask.
struct ValiditySource {
  enum class From {
    nowhere,  ///< all are
    items,    ///< where FieldTransform::validity() of all of `items` says so
    dataset,  ///< where the cell is nonzero
    join,     ///< where a row of the table went
  } from = From::nowhere;
  std::vector<std::size_t> items;
  std::string dataset;
  transform::RawRows raw{};
  transform::Cell cell{};
  std::vector<columns::ColumnInFile> in_file{};  ///< the cell in each file, where they differ; else empty
  std::vector<columns::ItemInFile> rows_in_file{};
};

/// An item's rows and validity in each file, where they differ; else empty.
struct ItemOverFiles {
  std::vector<transform::RawRows> raw;
  std::vector<transform::Cell> valid;  ///< of items with ValidSpec::From::record
};

struct ResolvedField {
  transform::FieldSpec spec;              ///< columns as they are in the first file that has them
  std::vector<Packings> packings;         ///< of all columns, in order; none: absent everywhere
  std::vector<ItemOverFiles> over_files;  ///< of all items of the spec
  double missing = 0;                     ///< the value of a column in a file that lacks it
  Field field;
  std::optional<Field> mask;
  ValiditySource validity;
  std::vector<DatasetNeed> needs;        ///< each once, values first
  std::vector<std::string> left_packed;  ///< datasets whose attributes pack values that are delivered as stored
  bool of_class = false;                 ///< its source is @class
  bool of_weight = false;                ///< its source is @weight
  /// encode without classes, and label_values not given: read them, then resolve again. The spec serves to count them.
  bool needs_label_values = false;
};

/// Runs call; its UsageErrors begin with "[field.NAME]".
template <class Call>
void in_field(const std::string& name, Call call) {
  try {
    call();
  } catch (const UsageError& mistake) {
    throw UsageError("[field." + name + "] " + mistake.what());
  }
}

}  // namespace headrace::data::fields
