#include "catalog/defaults.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace headrace::catalog {

namespace {

std::string text_of(const h5::DatasetInfo& dataset, const char* attribute) {
  const auto* found = dataset.attribute(attribute);
  return found == nullptr || found->texts.empty() ? "" : found->texts[0];
}

bool in_group(const std::string& path, std::string_view prefix) {
  return path.starts_with(prefix) || path.find("/" + std::string(prefix)) != std::string::npos;
}

/// "axis0", "axis1_label0", "block0_items", "block12_items_level1", "index", "index_level0": labels of rows and
/// columns, as pandas names them in files of its fixed format.
bool is_axis_name(std::string_view name) {
  const auto skip = [&](std::string_view word) {
    if (!name.starts_with(word)) return false;
    name.remove_prefix(word.size());
    return true;
  };
  const auto skip_number = [&] {
    const auto digits = std::find_if(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) == 0; });
    const bool any = digits != name.begin();
    name.remove_prefix(static_cast<std::size_t>(digits - name.begin()));
    return any;
  };
  const bool axis = skip("axis") ? skip_number() : skip("block") ? skip_number() && skip("_items") : skip("index");
  if (!axis || name.empty()) return axis;
  return (skip("_label") || skip("_level")) && skip_number() && name.empty();
}

}  // namespace

std::string set_aside(const h5::DatasetInfo& dataset) {
  const auto kind = text_of(dataset, "CLASS");
  if (kind == "DIMENSION_SCALE" && text_of(dataset, "NAME").starts_with("This is a netCDF dimension but not a netCDF"))
    return "it is a netCDF dimension without a variable";
  // PyTables marks all that it writes, and hides what begins so.
  if (!kind.empty() && in_group(dataset.path, "_i_")) return "it belongs to an index of PyTables";
  if (!kind.empty() && in_group(dataset.path, "_p_")) return "PyTables keeps it for itself";
  const auto name = std::string_view(dataset.path).substr(dataset.path.rfind('/') + 1);
  const bool by_pandas = dataset.attribute("transposed") != nullptr || dataset.attribute("kind") != nullptr;
  if (!kind.empty() && by_pandas && is_axis_name(name)) return "it is an axis of a pandas table";
  if (dataset.path.starts_with("#refs#/") || dataset.path.starts_with("#subsystem#/"))
    return "MATLAB keeps the contents of cells and objects there";
  return "";
}

}  // namespace headrace::catalog
