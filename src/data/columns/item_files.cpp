// A dataset whose type is not the same in all files: what an item names is found in each of them.
#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "data/columns/item.hpp"
#include "data/columns/item_types.hpp"

namespace headrace::data::columns {

namespace {

using h5::Kind;
using h5::TypeInfo;
using transform::CellKind;

/// An enumeration's names stand for the same values in both, as far as both have them.
bool names_agree(const TypeInfo& a, const TypeInfo& b) {
  for (const auto& x : a.labels)
    for (const auto& y : b.labels)
      if ((x.name == y.name) != (x.value == y.value)) return false;
  return true;
}

/// Of texts that are longer in another file: what stands behind their end.
ColumnInFile beyond(const TypeInfo& text) {
  return {.pad = static_cast<std::uint8_t>(text.padding == h5::Padding::space_padded ? ' ' : '\0')};
}

/// A compound, and the file that holds it.
struct Holder {
  const std::string* file = nullptr;
  const TypeInfo* compound = nullptr;
};

class InFiles {
 public:
  InFiles(const FoundItem& found, bool missing, bool texts, ItemLayout& item)
      : found_(found),
        dataset_(*item.dataset),
        missing_(missing),
        texts_(texts),
        item_(item),
        reference_(record_of(dataset_.type)) {
    for (const auto& here : dataset_.type_in_file)
      if (first_.empty() && here.type) first_ = here.file;
    if (!texts_) make_room_for_longest_texts(dataset_, item_);
    if (reference_.compound)
      for (const auto& column : item_.columns) holders_.push_back(holder_of(column));
  }

  void lay_out() {
    const TypeInFile* before = nullptr;
    for (const auto& here : dataset_.type_in_file) {
      if (before != nullptr && before->type == here.type)
        repeat();
      else if (here.type)
        add(here.file, *here.type);
      else
        add_absent(here.file);
      before = &here;
    }
    forget_if_alike();
  }

 private:
  void repeat() {
    item_.in_file.push_back(item_.in_file.back());
    for (auto& column : item_.columns) column.in_file.push_back(column.in_file.back());
  }

  void add_absent(const std::string& file) {
    if (!missing_)
      throw UsageError("dataset '" + dataset_.path + "' is missing in '" + file + "' (it is in '" + first_ +
                       "'); name another, or give missing = VALUE for where it is absent");
    item_.in_file.push_back({item_.raw, item_.valid});
    for (auto& column : item_.columns) column.in_file.emplace_back();
  }

  void add(const std::string& file, const TypeInfo& type) {
    const auto record = record_of(type);
    const bool ragged = type.kind == Kind::vlen;
    if (ragged != item_.raw.ragged || record.compound != reference_.compound || record.dims != reference_.dims)
      differ("", dataset_.type, type, file);
    auto& here = item_.in_file.emplace_back(ItemInFile{item_.raw, std::nullopt});
    if (record.compound)
      add_compound(file, *record.type, here);
    else
      add_plain(file, *record.type, here);
  }

  void add_plain(const std::string& file, const TypeInfo& type, ItemInFile& here) {
    const auto ours = plain_values(*reference_.type, texts_);
    const auto theirs = plain_values(type, texts_);
    if (!texts_ && theirs && item_.plain && is_text(*reference_.type) && is_text(type) &&
        same_but_last(ours->dims, theirs->dims))
      return add_texts(*theirs, type, here);
    if (!theirs || ours->dims != theirs->dims) differ("", dataset_.type, type, file);
    require_same_kind("", *ours->element, ours->cell, *theirs->element, theirs->cell, file);
    here.raw.record_bytes = item_.raw.record_bytes / ours->cell.bytes * theirs->cell.bytes;
    for (auto& column : item_.columns) {
      auto cell = theirs->cell;
      cell.offset = column.cell.offset / ours->cell.bytes * cell.bytes;
      column.in_file.push_back({cell, theirs->element});
    }
  }

  /// Bytes of texts, perhaps of another length.
  void add_texts(const PlainValues& theirs, const TypeInfo& type, ItemInFile& here) {
    const auto length = theirs.dims.back();
    here.raw.record_bytes = length;
    if (!is_expanded(item_)) {  // all of the same length
      item_.columns[0].in_file.push_back({theirs.cell, theirs.element});
      return;
    }
    for (std::uint64_t i = 0; i < item_.columns.size(); ++i) {
      auto cell = theirs.cell;
      cell.offset = i;
      item_.columns[i].in_file.push_back(i < length ? ColumnInFile{cell, theirs.element}
                                                    : beyond(*h5::elements_of(type).type));
    }
  }

  void add_compound(const std::string& file, const TypeInfo& compound, ItemInFile& here) {
    here.raw.record_bytes = compound.size;
    here.valid = own_validity(compound);
    if (here.valid.has_value() != item_.valid.has_value())
      throw UsageError("dataset '" + dataset_.path + "' has a member 'valid' in '" + (here.valid ? file : first_) +
                       "' but not in '" + (here.valid ? first_ : file) +
                       "', so that its real records would be known in one file only; name what says so with valid");
    if (found_.columns.empty()) require_no_more(file, compound);
    for (std::size_t c = 0; c < item_.columns.size(); ++c)
      item_.columns[c].in_file.push_back(column_in(file, compound, item_.columns[c], holders_[c]));
  }

  /// The first compound that has the column, which is what the item knows it by.
  Holder holder_of(const ItemColumn& column) const {
    for (const auto& here : dataset_.type_in_file) {
      if (!here.type || column.type == nullptr) continue;
      const auto record = record_of(*here.type);
      if (record.compound && part_at(*record.type, column.steps)) return {&here.file, record.type};
    }
    return {};
  }

  ColumnInFile column_in(const std::string& file, const TypeInfo& compound, const ItemColumn& column,
                         const Holder& holder) const {
    if (column.type == nullptr) return {};
    const auto part = part_at(compound, column.steps);
    if (!part) {
      if (missing_) return {};
      throw UsageError("dataset '" + dataset_.path + "' has no column '" + column.path + "' in '" + file +
                       "' (it has one in '" + *holder.file +
                       "'); name others, or give missing = VALUE for where it is absent");
    }
    require_same_axes(file, compound, column, holder);
    if (column.byte) {
      const auto ours = part_at(*holder.compound, column.steps);
      const bool texts = is_text(*ours->type) && is_text(*part->type);
      if (!has_bytes(*part->type) || (!texts && part->type->size != ours->type->size))
        differ(column.path, *ours->type, *part->type, file);
      if (*column.byte >= part->type->size) return beyond(*part->type);
      auto cell = column.cell;
      cell.offset = part->offset + *column.byte;
      return {cell, column.type};
    }
    const auto cell = cell_at(*part->type, part->offset, texts_);
    if (!cell) differ(column.path, *column.type, *part->type, file);
    require_same_kind(column.path, *column.type, column.cell, *part->type, *cell, file);
    return {*cell, part->type};
  }

  /// Elements go by the same numbers.
  void require_same_axes(const std::string& file, const TypeInfo& compound, const ItemColumn& column,
                         const Holder& holder) const {
    std::vector<std::string> steps;
    for (std::size_t i = 0; i <= column.steps.size(); ++i) {
      const auto ours = part_at(*holder.compound, steps), theirs = part_at(compound, steps);
      if (ours->type->kind != theirs->type->kind &&
          (ours->type->kind == Kind::array || theirs->type->kind == Kind::array))
        differ(ours->path, *ours->type, *theirs->type, file);
      if (ours->type->kind == Kind::array && ours->type->dims != theirs->type->dims)
        differ(ours->path, *ours->type, *theirs->type, file);
      if (i < column.steps.size()) steps.push_back(column.steps[i]);
    }
  }

  /// Nobody named the columns: then files must not have more of them than the first.
  void require_no_more(const std::string& file, const TypeInfo& compound) const {
    std::set<std::string> known;
    std::string names;
    for (const auto& column : item_.columns) {
      known.insert(column.path);
      names += (names.empty() ? "" : ", ") + column.path;
    }
    for (const auto& part : members_of(compound))
      for (const auto& leaf : leaves_of(part))
        if (part.path != "valid" && cell_at(*leaf.type, leaf.offset, false) && known.count(leaf.path) == 0)
          throw UsageError("dataset '" + dataset_.path + "' has column '" + leaf.path + "' in '" + file +
                           "' but not in '" + first_ + "'; name the columns that are wanted, as in \"" + dataset_.path +
                           "[" + names + "]\"");
  }

  void require_same_kind(const std::string& column, const TypeInfo& ours, const transform::Cell& our_cell,
                         const TypeInfo& theirs, const transform::Cell& their_cell, const std::string& file) const {
    const bool alike = (our_cell.kind == CellKind::number) == (their_cell.kind == CellKind::number);
    if (!alike || !names_agree(ours, theirs)) differ(column, ours, theirs, file);
  }

  [[noreturn]] void differ(const std::string& column, const TypeInfo& ours, const TypeInfo& theirs,
                           const std::string& file) const {
    const auto [here, there] = h5::told_apart(ours, theirs);
    throw UsageError(
        (column.empty() ? "" : "column '" + column + "' of ") + "dataset '" + dataset_.path + "' is " + here + " in '" +
        first_ + "' but " + there + " in '" + file +
        "', which cannot be one field; give the files to services of their own, or write one of them anew");
  }

  /// Where the files differ in what nobody asks for.
  void forget_if_alike() {
    const ItemInFile own{item_.raw, item_.valid};
    for (const auto& here : item_.in_file)
      if (here != own) return;
    for (const auto& column : item_.columns)
      for (const auto& here : column.in_file)
        if (here.cell != column.cell || !here.type != !column.type ||
            (here.type && here.type->labels != column.type->labels))
          return;
    item_.in_file.clear();
    for (auto& column : item_.columns) column.in_file.clear();
  }

  const FoundItem& found_;
  const RawDataset& dataset_;
  bool missing_, texts_;
  ItemLayout& item_;
  Record reference_;
  std::string first_;            // the file that `dataset_.type` is of
  std::vector<Holder> holders_;  // of a compound's columns
};

}  // namespace

void lay_out_in_files(const FoundItem& found, bool missing, bool texts, ItemLayout& item) {
  if (!item.dataset->type_in_file.empty()) InFiles(found, missing, texts, item).lay_out();
}

}  // namespace headrace::data::columns
