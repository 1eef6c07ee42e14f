// Texts of fixed length that are not of the same length in all files, as their bytes.
#include <algorithm>

#include "base/error.hpp"
#include "data/columns/item.hpp"
#include "data/columns/item_types.hpp"

namespace headrace::data::columns {

namespace {

/// Behind the bytes of a member, those that only longer texts have. The number after the last of them.
std::size_t extend(const RawDataset& dataset, std::size_t first, ItemLayout& item) {
  const auto& steps = item.columns[first].steps;
  auto last = first;
  while (last < item.columns.size() && item.columns[last].byte && item.columns[last].steps == steps) ++last;
  std::uint64_t longest = last - first;
  for (const auto& here : dataset.type_in_file) {
    if (!here.type) continue;
    const auto record = record_of(*here.type);
    const auto part = record.compound ? part_at(*record.type, steps) : std::nullopt;
    if (part && is_text(*part->type)) longest = std::max(longest, part->type->size);
  }
  const auto pattern = item.columns[first];
  const auto numbered = [](const std::string& of_first, std::uint64_t number) {
    return of_first.substr(0, of_first.size() - 1) + std::to_string(number);
  };
  std::vector<ItemColumn> more;
  for (auto number = last - first; number < longest; ++number) {
    auto& column = more.emplace_back(pattern);
    column.name = numbered(pattern.name, number);
    column.path = numbered(pattern.path, number);
    column.byte = number;
  }
  item.columns.insert(item.columns.begin() + static_cast<std::ptrdiff_t>(last), more.begin(), more.end());
  return first + std::max<std::size_t>(longest, 1);
}

}  // namespace

bool is_text(const h5::TypeInfo& type) {
  const auto& element = *h5::elements_of(type).type;
  return element.kind == h5::Kind::string && element.size > 0;
}

bool same_but_last(const Extents& a, const Extents& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end() - 1, b.begin());
}

void make_room_for_longest_texts(const RawDataset& dataset, ItemLayout& item) {
  if (!item.plain) {
    for (std::size_t c = 0; c < item.columns.size();) c = item.columns[c].byte ? extend(dataset, c, item) : c + 1;
    return;
  }
  if (!is_text(*record_of(dataset.type).type)) return;
  std::uint64_t longest = item.width;
  bool alike = true;
  for (const auto& here : dataset.type_in_file)
    if (here.type && is_text(*record_of(*here.type).type)) {
      const auto length = h5::elements_of(*record_of(*here.type).type).type->size;
      alike = alike && length == item.width;
      longest = std::max(longest, length);
    }
  if (alike) return;
  item.width = longest;
  expand_columns(item);
}

}  // namespace headrace::data::columns
