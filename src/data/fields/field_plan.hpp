// How each array of a batch comes to be: which datasets are read for it, and what happens to their rows. Made once, the
// same on every stager; plain values, read by any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "catalog/catalog.hpp"
#include "data/fields/resolved_field.hpp"
#include "transform/field_transform.hpp"

namespace headrace::data::fields {

/// Rows of tables that belong to samples by an id.
struct Join {
  std::string ids;        ///< dataset of the ids, one per row of the tables
  std::int64_t base = 1;  ///< the id of a file's first sample
};

/// A field of the configuration: an array of the schema, and perhaps one for its mask.
struct FieldPlan {
  transform::FieldTransform transform;  ///< where all files are alike; else constants are those of all files
  /// Of each file's rows, where files differ: in packing, types, places, or in what they lack; else empty.
  std::vector<std::shared_ptr<const transform::FieldTransform>> by_file{};
  /// Of the samples of each class, where its source is @class; else empty.
  std::vector<std::shared_ptr<const transform::FieldTransform>> by_class{};
  bool by_weight = false;             ///< its source is @weight: it is a constant of each sample
  std::size_t array = 0;              ///< its place in the schema
  std::optional<std::size_t> mask{};  ///< place of the mask in the schema
  std::optional<Join> join{};
  ValiditySource validity{};
  std::vector<std::string> notes{};  ///< what users should see: packed values that are not decoded

  const transform::FieldSpec& spec() const { return transform.spec(); }
  /// What turns values of the file that holds this sample into the field's.
  const transform::FieldTransform& transform_at(const catalog::Catalog& catalog, std::uint64_t sample) const;
  /// What says which records of the file that holds this sample are real, where validity is of a dataset.
  const transform::Cell& valid_cell_at(const catalog::Catalog& catalog, std::uint64_t sample) const;
  std::uint64_t valid_stride_at(const catalog::Catalog& catalog, std::uint64_t sample) const;
  /// Whether a file may lack the item's dataset.
  bool may_be_missing(std::size_t item) const;
  /// For a data set of this file alone.
  void keep_file(std::size_t file);
  /// The dataset of an item; "" where it is a constant.
  const std::string& dataset(std::size_t item) const {
    static const std::string none;
    return spec().items[item].constant ? none : spec().items[item].dataset;
  }
  /// Whether an item's rows are converted by the word of another dataset.
  bool needs_validity_first() const;
  /// Whether records must be cleared once all is loaded: where items know nothing of validity, or not of all of it.
  bool clears_at_the_end() const;
};

struct FieldPlans {
  Schema schema;
  std::vector<FieldPlan> fields;
  std::vector<std::string> warnings{};  ///< that users should see before they train
};

/// An item of a field that is made of a dataset.
struct ItemUse {
  std::size_t field = 0, item = 0;
};

/// Per dataset path the items that are made of its rows, sample by sample (joins are not among them).
std::vector<ItemUse> uses_of(const std::vector<FieldPlan>& fields, const std::string& dataset);

/// Datasets with one row per sample that the fields need, each once, in order of use.
std::vector<std::string> sample_datasets(const std::vector<FieldPlan>& fields);

/// Those of all datasets of fields that a file may lack.
std::set<std::string> missing_datasets(const std::vector<FieldPlan>& fields);

}  // namespace headrace::data::fields
