#include "data/fields/field_plan.hpp"

#include <algorithm>

namespace headrace::data::fields {

const transform::FieldTransform& FieldPlan::transform_at(const catalog::Catalog& catalog, std::uint64_t sample) const {
  return by_file.empty() ? transform : *by_file[catalog.file_of(sample)];
}

const transform::Cell& FieldPlan::valid_cell_at(const catalog::Catalog& catalog, std::uint64_t sample) const {
  return validity.in_file.empty() ? validity.cell : validity.in_file[catalog.file_of(sample)].cell;
}

std::uint64_t FieldPlan::valid_stride_at(const catalog::Catalog& catalog, std::uint64_t sample) const {
  const auto& rows = validity.rows_in_file;
  return (rows.empty() ? validity.raw : rows[catalog.file_of(sample)].raw).record_bytes;
}

bool FieldPlan::may_be_missing(std::size_t item) const {
  return std::any_of(by_file.begin(), by_file.end(),
                     [&](const auto& here) { return here->spec().items[item].constant.has_value(); });
}

void FieldPlan::keep_file(std::size_t file) {
  if (!validity.in_file.empty()) {
    validity.cell = validity.in_file[file].cell;
    validity.raw = validity.rows_in_file[file].raw;
    validity.in_file.clear();
    validity.rows_in_file.clear();
  }
  if (by_file.empty()) return;
  transform = *by_file[file];
  by_file.clear();
}

bool FieldPlan::needs_validity_first() const {
  const auto& items = spec().items;
  if (validity.from != ValiditySource::From::items) return validity.from == ValiditySource::From::dataset;
  return std::any_of(items.begin(), items.end(),
                     [](const auto& item) { return item.valid.from == transform::ValidSpec::From::outside; });
}

bool FieldPlan::clears_at_the_end() const {
  using From = ValiditySource::From;
  if (validity.from != From::items && validity.from != From::dataset) return false;
  const auto& items = spec().items;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].repeated || items[i].constant || may_be_missing(i)) return true;
  return validity.items.size() > 1;
}

std::vector<ItemUse> uses_of(const std::vector<FieldPlan>& fields, const std::string& dataset) {
  std::vector<ItemUse> uses;
  for (std::size_t f = 0; f < fields.size(); ++f) {
    if (fields[f].join) continue;
    for (std::size_t i = 0; i < fields[f].spec().items.size(); ++i)
      if (fields[f].dataset(i) == dataset) uses.push_back({f, i});
  }
  return uses;
}

std::set<std::string> missing_datasets(const std::vector<FieldPlan>& fields) {
  std::set<std::string> paths;
  for (const auto& field : fields)
    for (std::size_t i = 0; i < field.spec().items.size(); ++i)
      if (field.may_be_missing(i)) paths.insert(field.dataset(i));
  return paths;
}

std::vector<std::string> sample_datasets(const std::vector<FieldPlan>& fields) {
  std::vector<std::string> paths;
  for (const auto& field : fields) {
    if (field.join) continue;
    for (std::size_t i = 0; i < field.spec().items.size(); ++i)
      if (const auto& path = field.dataset(i);
          !path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end())
        paths.push_back(path);
  }
  return paths;
}

}  // namespace headrace::data::fields
