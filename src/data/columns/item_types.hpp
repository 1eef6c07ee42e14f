// Types of the files against what an item needs of them. Pure functions.
#pragma once

#include <optional>

#include "data/columns/cells.hpp"
#include "data/columns/element_parts.hpp"
#include "data/columns/find_item.hpp"
#include "data/columns/item_layout.hpp"

namespace headrace::data::columns {

/// A number of this type at `offset` of a record, or a text where `texts`; nothing if no cell can hold it.
std::optional<transform::Cell> cell_at(const h5::TypeInfo& type, std::uint64_t offset, bool texts);

/// Whether every value of `from` is one of `to`.
bool holds_all_of(DType to, DType from);

/// Texts of fixed length and opaque values can be delivered as their bytes.
bool has_bytes(const h5::TypeInfo& type);

/// What a record is made of: a compound, perhaps in an array (whose axes are those of records), or values without
/// names.
struct Record {
  const h5::TypeInfo* type;
  bool compound = false;
  Extents dims{};
};
Record record_of(const h5::TypeInfo& dataset);

/// Values without names: of one type, along these axes of the element.
struct PlainValues {
  const h5::TypeInfo* type;     ///< of the element
  const h5::TypeInfo* element;  ///< of one value
  transform::Cell cell;
  Extents dims;
  bool complex = false;  ///< the last axis is (real, imag)
};
std::optional<PlainValues> plain_values(const h5::TypeInfo& type, bool texts);

std::vector<Part> members_of(const h5::TypeInfo& compound);
bool has_part(const h5::TypeInfo& compound, const std::string& text);
/// The compound's own member `valid`.
std::optional<transform::Cell> own_validity(const h5::TypeInfo& compound);

/// "4.0:3" at its dots.
std::vector<std::string> words_of_path(const std::string& text);

/// "; ...": what can be done about a type that cannot be a field.
std::string remedy(const h5::TypeInfo& type);

/// Texts of fixed length, or arrays of them.
bool is_text(const h5::TypeInfo& type);
bool same_but_last(const Extents& a, const Extents& b);
/// Bytes of texts are as many columns as the longest texts of all files have.
void make_room_for_longest_texts(const RawDataset& dataset, ItemLayout& item);

/// Sets what an item is in each file, where their types differ.
void lay_out_in_files(const FoundItem& found, bool missing, bool texts, ItemLayout& item);

}  // namespace headrace::data::columns
