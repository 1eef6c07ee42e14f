#include "data/columns/item.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "data/columns/item_types.hpp"

namespace headrace::data::columns {

namespace {

using h5::Kind;

/// The column of a part, or the columns of its bytes; whether there are any.
bool add_leaf(const Part& leaf, const std::string& name, bool texts, bool named, std::vector<ItemColumn>& columns) {
  if (const auto cell = cell_at(*leaf.type, leaf.offset, texts)) {
    columns.push_back({.name = name, .path = leaf.path, .steps = leaf.steps, .cell = *cell, .type = leaf.type});
    return true;
  }
  if (!named || texts || !has_bytes(*leaf.type)) return false;
  std::uint64_t number = 0;
  for (const auto& byte : bytes_of(leaf))
    columns.push_back({.name = byte.name,
                       .path = byte.path,
                       .steps = leaf.steps,
                       .byte = number++,
                       .cell = *cell_at(*byte.type, byte.offset, false),
                       .type = byte.type});
  return true;
}

std::vector<Part> parts_meant(const FoundItem& found, const h5::TypeInfo& compound, const std::string& text) {
  try {
    return parts_named(compound, text);
  } catch (const UsageError& error) {
    throw UsageError("dataset '" + found.dataset + "' " + error.what());
  }
}

void add_named(const FoundItem& found, const h5::TypeInfo& compound, const std::string& text, bool texts,
               std::vector<ItemColumn>& columns) {
  for (const auto& part : parts_meant(found, compound, text))
    for (const auto& leaf : leaves_of(part))
      if (!add_leaf(leaf, leaf.name, texts, true, columns))
        throw UsageError("column '" + leaf.path + "' of dataset '" + found.dataset + "' is " + h5::text_of(*leaf.type) +
                         ", which cannot be a field" + remedy(*leaf.type));
}

/// The compound of the first file that has the part; nullptr: none has it.
const h5::TypeInfo* holder_of(const RawDataset& dataset, const h5::TypeInfo& first, const std::string& text,
                              bool missing) {
  if (has_part(first, text)) return &first;
  for (const auto& here : dataset.type_in_file) {
    if (!here.type) continue;
    const auto record = record_of(*here.type);
    if (!record.compound || !has_part(*record.type, text)) continue;
    if (missing) return record.type;
    throw UsageError("dataset '" + dataset.path + "' has column '" + text + "' in '" + here.file +
                     "' but not in all files before it; name others, or give missing = VALUE for where it is absent");
  }
  return nullptr;
}

void lay_out_compound(const FoundItem& found, const h5::TypeInfo& compound, bool missing, bool texts,
                      ItemLayout& item) {
  item.column_axis = found.columns.empty() || found.column_axis;
  item.valid = own_validity(compound);
  if (found.columns.empty()) {
    for (const auto& part : members_of(compound))
      if (part.path != "valid")
        for (const auto& leaf : leaves_of(part)) add_leaf(leaf, leaf.name, false, false, item.columns);
    if (item.columns.empty())
      throw UsageError("dataset '" + found.dataset + "' has no numeric columns (it is " + h5::text_of(compound) + ")");
    return;
  }
  for (const auto& text : found.columns) {
    const auto* holder = holder_of(*item.dataset, compound, text, missing);
    if (holder != nullptr)
      add_named(found, *holder, text, texts, item.columns);
    else if (missing)
      item.columns.push_back({.name = text, .path = text});
    else
      add_named(found, compound, text, texts, item.columns);  // says what there is
  }
  if (!found.column_axis && item.columns.size() > 1) item.column_axis = true;  // the axis of its array
}

/// The numbers that each word of "4.0:3" means of the axes that it goes through.
std::vector<std::vector<std::uint64_t>> numbers_of_axes(const FoundItem& found, const std::string& text,
                                                        const PlainValues& values, const Extents& dims) {
  const auto words = words_of_path(text);
  const auto has = "dataset '" + found.dataset + "' has ";
  const auto what = "it is " + h5::text_of(*values.type);
  if (dims.empty()) throw UsageError(has + "no columns (" + what + ", one value a row); name the dataset alone");
  if (words.size() > dims.size())
    throw UsageError(has + "no column '" + text + "' (its rows are " + text_of(dims) + ")");
  std::vector<std::vector<std::uint64_t>> numbers;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto axis = dims.size() - words.size() + i;
    const bool part = values.complex && axis + 1 == dims.size();
    if (part && (words[i] == "real" || words[i] == "imag")) {
      numbers.push_back({words[i] == "real" ? 0u : 1u});
      continue;
    }
    std::optional<std::vector<std::uint64_t>> meant;
    try {
      meant = numbers_meant(words[i], dims[axis], "'" + text + "'");
    } catch (const UsageError& error) {
      throw UsageError("dataset '" + found.dataset + "' " + error.what());
    }
    if (!meant)
      throw UsageError(has + "no column '" + text + "' (" + what + ", no compound; its columns go by number, 0 to " +
                       std::to_string(dims[axis] - 1) + ")");
    numbers.push_back(std::move(*meant));
  }
  return numbers;
}

/// Some values of the last axes, by number.
void pick_columns(const FoundItem& found, const PlainValues& values, ItemLayout& item) {
  const auto dims = item.tracks;
  std::size_t axes = 0;
  for (const auto& text : found.columns) {
    const auto numbers = numbers_of_axes(found, text, values, dims);
    if (axes != 0 && axes != numbers.size())
      throw UsageError("dataset '" + found.dataset + "': '" + found.columns[0] + "' and '" + text +
                       "' count along different axes; give each as many numbers");
    axes = numbers.size();
    std::vector<std::pair<std::uint64_t, std::string>> places{{0, ""}};
    for (std::size_t i = 0; i < axes; ++i) {
      std::vector<std::pair<std::uint64_t, std::string>> further;
      for (const auto& [place, path] : places)
        for (const auto number : numbers[i])
          further.emplace_back(place * dims[dims.size() - axes + i] + number,
                               path + (path.empty() ? "" : ".") + std::to_string(number));
      places = std::move(further);
    }
    for (const auto& [place, path] : places) {
      auto cell = values.cell;
      cell.offset = place * cell.bytes;
      item.columns.push_back({.name = "", .path = path, .cell = cell, .type = values.element});
    }
  }
  item.picked = true;
  item.picked_from = dims.back();
  item.column_axis = found.column_axis || item.columns.size() > 1;
  item.tracks.resize(dims.size() - axes);
  item.raw.record_bytes =
      product({product({dims.end() - static_cast<std::ptrdiff_t>(axes), dims.end()}), values.cell.bytes});
}

void lay_out_plain(const FoundItem& found, const h5::TypeInfo& type, bool texts, ItemLayout& item) {
  const auto values = plain_values(type, texts);
  if (!values)
    throw UsageError("dataset '" + found.dataset + "' is " + h5::text_of(item.dataset->type) +
                     ", which cannot be a field" + remedy(*h5::elements_of(type).type));
  item.tracks.insert(item.tracks.end(), values->dims.begin(), values->dims.end());
  if (!found.columns.empty()) return pick_columns(found, *values, item);
  item.plain = true;
  if (!item.tracks.empty()) {
    item.width = item.tracks.back();
    item.tracks.pop_back();
    item.column_axis = true;
  }
  item.columns.push_back({.name = "", .cell = values->cell, .type = values->element});
  item.raw.record_bytes = product({item.width, values->cell.bytes});
}

}  // namespace

ItemLayout lay_out(const FoundItem& found, const RawDataset& dataset, bool missing, bool texts) {
  ItemLayout item;
  item.dataset = &dataset;
  item.path = dataset.path;
  item.tracks = dataset.row_shape;
  item.raw.ragged = dataset.type.kind == Kind::vlen;
  if (item.raw.ragged && !dataset.row_shape.empty())
    throw UsageError("dataset '" + dataset.path + "' has rows of " + text_of(dataset.row_shape) +
                     " variable-length elements; only one a sample can be a field");
  const auto record = record_of(dataset.type);
  if (record.compound) {
    item.tracks.insert(item.tracks.end(), record.dims.begin(), record.dims.end());
    item.raw.record_bytes = record.type->size;
    lay_out_compound(found, *record.type, missing, texts, item);
  } else {
    lay_out_plain(found, *record.type, texts, item);
  }
  if (item.raw.ragged && !item.tracks.empty())
    throw UsageError("dataset '" + dataset.path + "' is " + h5::text_of(dataset.type) +
                     ": variable-length rows of more than one axis cannot be a field");
  item.raw.records = product(item.tracks);
  if (item.raw.records == 0 || column_count(item) == 0)
    throw UsageError("dataset '" + dataset.path + "' has rows of no elements " + text_of(dataset.row_shape));
  lay_out_in_files(found, missing, texts, item);
  return item;
}

void turn_columns_to_records(ItemLayout& item) {
  if (!item.column_axis) return;
  item.tracks.push_back(item.width);
  item.raw.records = product({item.raw.records, item.width});
  item.raw.record_bytes = item.columns[0].cell.bytes;
  for (std::size_t f = 0; f < item.in_file.size(); ++f) {
    item.in_file[f].raw.records = item.raw.records;
    item.in_file[f].raw.record_bytes = item.columns[0].in_file[f].cell.bytes;
  }
  item.width = 1;
  item.column_axis = false;
}

void expand_columns(ItemLayout& item) {
  constexpr std::uint64_t most = 1u << 20;
  if (!item.plain || item.columns.size() == item.width) return;
  if (item.width > most)
    throw UsageError("dataset '" + item.path + "' has " + std::to_string(item.width) + " columns; at most " +
                     std::to_string(most) + " can be told apart");
  const auto first = item.columns[0];
  item.columns.assign(item.width, first);
  for (std::uint64_t i = 0; i < item.width; ++i) {
    auto& column = item.columns[i];
    column.path = std::to_string(i);
    column.cell.offset += i * column.cell.bytes;
    for (auto& here : column.in_file) here.cell.offset += i * here.cell.bytes;
  }
}

bool is_expanded(const ItemLayout& item) {
  return item.plain && item.columns.size() > 1;
}

std::uint64_t column_count(const ItemLayout& item) {
  return item.plain ? item.width : item.columns.size();
}

std::uint64_t product(const Extents& extents) {
  std::uint64_t n = 1;
  for (const auto extent : extents)
    if (__builtin_mul_overflow(n, extent, &n)) throw UsageError("shape " + text_of(extents) + " is too large");
  return n;
}

std::string text_of(const Extents& extents) {
  std::string text = "(";
  for (std::size_t i = 0; i < extents.size(); ++i) text += (i ? ", " : "") + std::to_string(extents[i]);
  return text + ")";
}

}  // namespace headrace::data::columns
