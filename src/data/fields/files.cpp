#include "data/fields/files.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "data/columns/item_types.hpp"

namespace headrace::data::fields {

namespace {

using From = transform::ValidSpec::From;

const Packing& packing_in(const Packings& packings, std::size_t file) {
  return packings[packings.size() == 1 ? 0 : file];
}

}  // namespace

transform::FieldSpec as_in_file(std::size_t file, const ResolvedField& resolved) {
  auto spec = resolved.spec;
  std::size_t c = 0;
  for (std::size_t i = 0; i < spec.items.size(); ++i) {
    auto& item = spec.items[i];
    const auto& over_files = resolved.over_files[i];
    if (!over_files.raw.empty()) item.raw = over_files.raw[file];
    if (item.valid.from == From::record && !over_files.valid.empty()) item.valid.cell = over_files.valid[file];
    for (auto& column : item.columns) {
      const auto& all = resolved.packings[c++];
      if (all.empty()) continue;
      const auto& packing = packing_in(all, file);
      column.cell = packing.cell;
      column.cf = packing.cf;
      if (packing.absent) item.constant = packing.pad.value_or(resolved.missing);
    }
    if (item.constant) item.plugin = nullptr;
  }
  return spec;
}

std::size_t files_told_apart(const ResolvedField& resolved) {
  std::size_t files = 0;
  for (const auto& column : resolved.packings)
    if (column.size() > 1) files = column.size();
  for (const auto& item : resolved.over_files) files = std::max({files, item.raw.size(), item.valid.size()});
  return files;
}

bool same_in_files(const ResolvedField& resolved, std::size_t a, std::size_t b) {
  const auto same = [&](const auto& of_files) { return of_files.size() <= 1 || of_files[a] == of_files[b]; };
  return std::all_of(resolved.packings.begin(), resolved.packings.end(), same) &&
         std::all_of(resolved.over_files.begin(), resolved.over_files.end(),
                     [&](const ItemOverFiles& item) { return same(item.raw) && same(item.valid); });
}

void require_lossless(const ColumnPlace& column, DType common, bool has_plugin) {
  const auto& dataset = *column.item->dataset;
  if (dataset.type_in_file.empty() || column.packings.size() < 2) return;
  const auto type_in = [&](std::size_t file) {
    auto spec = *column.spec;
    spec.cell = column.packings[file].cell;
    spec.cf = column.packings[file].cf;
    return transform::natural_dtype(spec, has_plugin);
  };
  std::optional<std::size_t> lost, other;
  for (std::size_t f = 0; f < column.packings.size(); ++f)
    if (!column.packings[f].absent && !columns::holds_all_of(common, type_in(f))) lost = lost ? lost : f;
  if (!lost) return;
  for (std::size_t f = 0; f < column.packings.size(); ++f)
    if (!column.packings[f].absent && type_in(f) != type_in(*lost)) other = other ? other : f;
  const auto& path = column.item->columns[column.index].path;
  const auto told = [&](std::size_t file) {
    return std::string(name_of(type_in(file))) + " in '" + dataset.type_in_file[file].file + "'";
  };
  throw UsageError((path.empty() ? "" : "column '" + path + "' of ") + "dataset '" + dataset.path + "' is " +
                   told(*lost) + " but " + told(other.value_or(*lost)) +
                   ", and no type holds the values of both; say with dtype what they are to become");
}

}  // namespace headrace::data::fields
