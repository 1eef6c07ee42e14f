// What happens to each column of a field: logarithm, normalisation, scaling, NaN.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "data/columns/item_types.hpp"
#include "data/fields/cf.hpp"
#include "data/fields/draft.hpp"

namespace headrace::data::fields {

namespace {

using transform::ColumnSpec;
using transform::Nonfinite;

std::string described(const ColumnPlace& column) {
  const auto& name = column.item->columns[column.index].name;
  if (column.item->picked)
    return "column " + column.item->columns[column.index].path + " of dataset '" + column.item->path + "'";
  return name.empty() ? "dataset '" + column.item->path + "'"
                      : "variable '" + name + "' of dataset '" + column.item->path + "'";
}

/// The paths of an item's columns that `name` means as it would behind the dataset's name: members, elements, lists of
/// numbers. None where there are no such parts.
std::set<std::string> paths_meant(const columns::ItemLayout& item, const std::string& name) {
  std::set<std::string> paths;
  if (item.dataset == nullptr) return paths;
  try {
    const auto record = columns::record_of(item.dataset->type);
    if (record.compound) {
      for (const auto& part : columns::parts_named(*record.type, name))
        for (const auto& leaf : columns::leaves_of(part)) paths.insert(leaf.path);
    } else if (item.columns.size() > 1 || item.picked) {
      const auto last = item.picked ? item.picked_from : item.width;
      for (const auto number : columns::numbers_meant(name, last, name).value_or(std::vector<std::uint64_t>{}))
        paths.insert(std::to_string(number));
    }
  } catch (const UsageError&) {  // there is none
  }
  return paths;
}

/// Whether the user means this column by `name`: its name in the field, its own name, or its dataset's where it has
/// none. A name in the field goes before own names, and these before numbers.
bool means(const std::string& name, const ColumnPlace& column, bool in_field, const std::string& field) {
  if (in_field) return column.name == name;
  const auto& own = column.item->columns[column.index].name;
  return own.empty() ? name == column.item->path || name == field : name == own;
}

/// The columns that the list names.
std::vector<bool> named(const std::vector<std::string>& list, const std::string& key,
                        const std::vector<ColumnPlace>& columns, const std::string& field) {
  std::vector<bool> all(columns.size());
  std::set<std::string> paths;
  for (const auto& name : list) {
    const bool in_field =
        std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return column.name == name; });
    bool found = false;
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (means(name, columns[i], in_field, field)) all[i] = found = true;
    for (std::size_t i = 0; i < columns.size() && !in_field; ++i) {
      const auto& item = *columns[i].item;
      if (i == 0 || columns[i - 1].item != &item) paths = paths_meant(item, name);
      if (paths.count(item.columns[columns[i].index].path) != 0) all[i] = found = true;
    }
    if (found) continue;
    std::vector<std::string> known;
    for (const auto& column : columns) known.push_back(column.name.empty() ? column.item->path : column.name);
    throw UsageError(key + " names column '" + name + "', which the field does not have" + did_you_mean(name, known));
  }
  return all;
}

/// Scaling by the scale file.
class FileScaling {
 public:
  FileScaling(const config::FieldConfig& config, const ScaleFile& file) : config_(config), file_(file) {}

  const VariableScale& entry(const ColumnPlace& column) const {
    const auto& name = column.item->columns[column.index].name;
    const auto& path = column.item->path;
    if (config_.norm_over == config::NormOver::field) return file_.at(config_.name);
    if (!name.empty()) return file_.at(path, name);
    const auto& number = column.item->columns[column.index].path;
    if (const auto* found = file_.find(path, number.empty() ? std::to_string(column.index) : number)) return *found;
    if (const auto* found = file_.find(path)) return *found;
    if (const auto* found = file_.find(config_.name)) return *found;
    return file_.at(path);
  }

  void set(const ColumnPlace& column) const {
    const auto& from = entry(column);
    const auto what = config_.norm_over == config::NormOver::field ? "entry '" + config_.name + "'" : described(column);
    auto& spec = *column.spec;
    switch (config_.norm) {
      case config::Norm::minmax:
        spec.shift = said(from.min, "min", what);
        spec.scale = said(from.max, "max", what) - spec.shift;
        if (spec.scale == 0 && from.scale) spec.scale = *from.scale;  // no spread, and stats knows of it
        check(spec, what, "max - min");
        break;
      case config::Norm::standard:
        spec.shift = said(from.mean, "mean", what);
        spec.scale = said(from.std, "std", what);
        check(spec, what, "std");
        break;
      case config::Norm::tanh_log:
        if (from.shift || from.scale) as_written(spec, from, what);
        return;
      case config::Norm::none:
        as_written(spec, from, what);
    }
    spec.scaled = true;
  }

 private:
  void as_written(ColumnSpec& spec, const VariableScale& from, const std::string& what) const {
    if (!from.shift && !from.scale && !from.mean && !from.std)
      wrong(what, "has neither shift and scale nor mean and std (min and max are used with norm = 'minmax')");
    const bool shifts = from.shift || from.scale;
    if (!shifts && (!from.mean || !from.std))
      wrong(what, std::string("has no ") + (from.mean ? "std" : "mean") + ", and shift and scale are not given either");
    spec.shift = (shifts ? from.shift : from.mean).value_or(0);
    spec.scale = (shifts ? from.scale : from.std).value_or(1);
    check(spec, what, shifts ? "scale" : "std");
    spec.scaled = true;
  }
  double said(const std::optional<double>& value, const std::string& key, const std::string& what) const {
    if (!value) wrong(what, "has no " + key + ", which norm = '" + std::string(config::word(config_.norm)) + "' needs");
    return *value;
  }
  void check(const ColumnSpec& spec, const std::string& what, const std::string& key) const {
    if (!std::isfinite(spec.shift)) wrong(what, "has a shift that is not finite");
    if (spec.scale == 0 || !std::isfinite(spec.scale))
      wrong(what, "has " + key + " " + (spec.scale == 0 ? "0" : "that is not finite") +
                      " (values are divided by it); leave the variable alone with raw, or out");
  }
  [[noreturn]] void wrong(const std::string& what, const std::string& why) const {
    throw UsageError("scale file '" + file_.path() + "': " + what + " " + why);
  }

  const config::FieldConfig& config_;
  const ScaleFile& file_;
};

double of_column(const std::vector<double>& list, std::size_t i, std::size_t columns, const std::string& key,
                 double fallback) {
  if (list.empty()) return fallback;
  if (list.size() == 1) return list[0];
  if (list.size() != columns)
    throw UsageError(key + " has " + std::to_string(list.size()) + " numbers and the field " + std::to_string(columns) +
                     " columns; give one, or one per column");
  return list[i];
}

}  // namespace

void set_operations(const ResolveInput& input, std::vector<ColumnPlace>& columns) {
  const auto& config = input.config;
  const auto log = named(config.log, "log", columns, config.name);
  const auto raw = named(config.raw, "raw", columns, config.name);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& spec = *columns[i].spec;
    const auto* dataset = columns[i].item->dataset;
    const auto& column = columns[i].item->columns[columns[i].index];
    if (dataset && column.type) {
      columns[i].packings =
          packings_of(*dataset, config.encode == config::Encode::none ? config.cf : config::CfMode::off, column);
      spec.cell = first_of(columns[i].packings).cell;
      spec.cf = first_of(columns[i].packings).cf;
    }
    spec.raw = raw[i];
    spec.log = log[i];
    if (raw[i]) continue;
    spec.tanh_log = config.norm == config::Norm::tanh_log;
    const auto shift = of_column(config.shift, i, columns.size(), "shift", 0);
    const auto scale = of_column(config.scale, i, columns.size(), "scale", 1);
    if (input.measuring) continue;
    if (input.scales && columns[i].item->columns[columns[i].index].type) {
      FileScaling(config, *input.scales).set(columns[i]);
    } else if (!config.shift.empty() || !config.scale.empty()) {
      spec.scaled = true;
      spec.shift = shift;
      spec.scale = scale;
    }
  }
}

void set_nonfinite(const ResolveInput& input, std::vector<ColumnPlace>& columns, DType dtype) {
  const auto& config = input.config;
  const auto& policy = config.nonfinite;
  for (const auto& column : columns) {
    auto& spec = *column.spec;
    using Asked = config::NonfinitePolicy::Kind;
    const bool computed = spec.scaled || spec.log || spec.tanh_log || !config.plugin.empty();
    // That files of one type join files of another is no cast: their NaN stay missing values.
    const auto decoded = [](const ColumnSpec& one) { return one.cf ? one.cf->dtype : one.cell.dtype; };
    const bool cast = dtype != type_over_files(spec, column.packings, decoded);
    switch (policy.kind) {
      case Asked::unsaid:
        spec.nonfinite.kind = computed || cast ? Nonfinite::Kind::error : Nonfinite::Kind::keep;
        break;
      case Asked::error:
        spec.nonfinite.kind = Nonfinite::Kind::error;
        break;
      case Asked::keep:
        spec.nonfinite.kind = Nonfinite::Kind::keep;
        break;
      case Asked::value:
        spec.nonfinite = {Nonfinite::Kind::replace, policy.value};
        break;
      case Asked::variable_default: {
        if (!input.scales) break;  // measuring
        const auto& from = FileScaling(config, *input.scales).entry(column);
        if (!from.fallback)
          throw UsageError("scale file '" + input.scales->path() + "': " + described(column) +
                           " has no default, which nonfinite = 'default' puts in place of NaN; add it, or give "
                           "nonfinite a number");
        spec.nonfinite = {Nonfinite::Kind::replace, *from.fallback};
      }
    }
  }
}

}  // namespace headrace::data::fields
