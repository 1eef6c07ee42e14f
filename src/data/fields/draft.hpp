// A field while it is resolved: its items laid out against each other. Used by resolve.cpp and its parts
// (labels, names, operations, validity) alone.
#pragma once

#include "data/columns/item.hpp"
#include "data/fields/cf.hpp"
#include "data/fields/resolved_field.hpp"

namespace headrace::data::fields {

/// Items with common record axes; before any operation.
struct FieldDraft {
  std::vector<columns::ItemLayout> items;
  columns::Extents tracks;                    ///< record axes of the field
  bool column_axis = false;                   ///< of the field
  bool collapsed = false;                     ///< a single plain dataset as records of one column
  std::vector<std::string> columns;           ///< names of all columns; none where collapsed
  std::vector<std::uint64_t> collapsed_axes;  ///< the row's shape, where collapsed
};

/// Finds the datasets and columns, and fits the items together.
FieldDraft draft_field(const ResolveInput& input);

/// Whether this item has one record a row, that is repeated along the record axes of the others.
bool is_repeated(const FieldDraft& draft, const columns::ItemLayout& item);

/// Names of all columns of the field.
std::vector<std::string> column_names(const FieldDraft& draft);
/// "jets" -> "jet"
std::string singular(const std::string& path);

/// What happens to each column: log, scaling, NaN. `columns` are all columns of the field, in order.
struct ColumnPlace {
  const columns::ItemLayout* item;
  std::size_t index;  ///< within the item
  std::string name;   ///< in the field
  transform::ColumnSpec* spec;
  Packings packings{};  ///< set_operations() finds them; none where nothing can be decoded
};
void set_operations(const ResolveInput& input, std::vector<ColumnPlace>& columns);
/// Once the type of the field is known.
void set_nonfinite(const ResolveInput& input, std::vector<ColumnPlace>& columns, DType dtype);

/// The classes of the labels, or nullptr if their values must be read first.
std::shared_ptr<const transform::LabelMap> label_map(const ResolveInput& input, const columns::ItemLayout& item);

/// The column that `valid` names: one record for each record of the field.
columns::ItemLayout named_validity(const ResolveInput& input);

/// Sets ValidSpec of all items of `resolved`; items[i] is the layout that spec item i came from.
void set_validity(const ResolveInput& input, const FieldDraft& draft,
                  const std::vector<const columns::ItemLayout*>& items, ResolvedField& resolved);

}  // namespace headrace::data::fields
