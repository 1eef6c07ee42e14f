#include "data/columns/find_item.hpp"

#include <optional>

#include "base/error.hpp"
#include "config/dataset_name.hpp"

namespace headrace::data::columns {

namespace {

std::optional<FoundItem> parted_at_dot(const config::SourceItem& item, const RawDatasets& datasets) {
  if (item.bracketed) return std::nullopt;
  for (auto dot = item.dots.rbegin(); dot != item.dots.rend(); ++dot)
    if (*dot > 0 && *dot + 1 < item.path.size() && datasets.find(item.path.substr(0, *dot)) != nullptr)
      return FoundItem{item.path.substr(0, *dot), {item.path.substr(*dot + 1)}, false};
  return std::nullopt;
}

}  // namespace

FoundItem find_item(const config::SourceItem& item, const RawDatasets& datasets) {
  if (!item.whole.empty() && datasets.find(item.whole) != nullptr) return {item.whole, {}, false};
  // Quotes say where the dataset's name ends.
  if (item.quoted)
    if (auto found = parted_at_dot(item, datasets)) return *found;
  if (datasets.find(item.path) != nullptr) return {item.path, item.columns, item.bracketed};
  if (auto found = parted_at_dot(item, datasets)) return *found;
  for (const auto& name : {item.whole, item.path, item.path.substr(0, item.dots.empty() ? 0 : item.dots.back())})
    if (const auto why = datasets.why_missing(name); !name.empty() && !why.empty())
      throw UsageError("dataset '" + name + "' cannot be used (" + why +
                       "); put there what it leads to, or name another");
  throw UsageError("no dataset '" + item.path + "'" + config::dataset_meant(item.path, datasets.paths()));
}

}  // namespace headrace::data::columns
