#include "data/fields/resolve_all.hpp"

#include <memory>
#include <set>

#include "catalog/grouping.hpp"
#include "config/source_item.hpp"
#include "data/columns/item.hpp"
#include "data/fields/class_field.hpp"
#include "data/fields/raw_contents.hpp"
#include "data/fields/resolve.hpp"
#include "data/fields/weight_field.hpp"
#include "transform/field_transform.hpp"
#include "transform/plugin.hpp"

namespace headrace::data::fields {

namespace {

/// Where none is named: one per dataset of the most common length.
std::vector<config::FieldConfig> automatic_fields(const catalog::Contents& contents) {
  std::vector<config::FieldConfig> fields;
  for (const auto& dataset : catalog::select(contents, {}).datasets)
    fields.push_back({.name = dataset.path, .source = {config::as_item(dataset.path)}});
  return fields;
}

/// Each item has a state of its own: its columns differ from the others'.
void load_plugins(const config::FieldConfig& field, transform::FieldSpec& spec) {
  for (auto& item : spec.items) {
    transform::Plugin::Setup setup{field.plugin_args, item.dataset, {}, item.repeated ? 1 : spec.records};
    for (const auto& column : item.columns) setup.columns.push_back(column.name);
    if (!item.constant) item.plugin = std::make_shared<transform::Plugin>(field.plugin, setup);
  }
}

/// Of a field whose other keys are wrong: whether what it is made of is there. A source that nobody gave is not meant.
void check_sources(const config::FieldConfig& config, const columns::RawDatasets& datasets,
                   const config::Mistakes& known) {
  const bool given = config.source != std::vector{config.name} && !known.wrong({"field", config.name, "source"});
  if (!given || is_class_field(config) || is_weight_field(config) || config.missing ||
      known.wrong({"field", config.name, "missing"}))
    return;
  for (const auto& text : config.source) {
    const auto found = columns::find_item(config::SourceItem::parse(text), datasets);
    columns::lay_out(found, *datasets.find(found.dataset), false, true);
  }
}

/// Adds what the item may name: all of it, or what stands before columns.
void add_names(const std::string& text, std::set<std::string>& names) {
  if (text.empty()) return;
  config::SourceItem item;
  try {
    item = config::SourceItem::parse(text);
  } catch (const UsageError&) {
    return;  // which is told where it was read
  }
  for (const auto& name : {item.whole, item.path}) {
    names.insert(name);
    for (auto at = name.find_first_of(".["); at != std::string::npos; at = name.find_first_of(".[", at + 1))
      names.insert(name.substr(0, at));
  }
}

/// The datasets that the field may name.
void add_names(const config::FieldConfig& field, std::set<std::string>& names) {
  for (const auto& text : field.source) add_names(text, names);
  add_names(field.valid, names);
  add_names(field.join, names);
}

}  // namespace

ResolvedFields::ResolvedFields(const config::Config& config, const catalog::Contents& contents, const Purpose& purpose)
    : configs_(config.fields.empty() ? automatic_fields(contents) : config.fields),
      classes_(config.classes),
      resample_(config.resample),
      purpose_(purpose),
      datasets_(raw_datasets(contents, &left_out_)),
      fields_(configs_.size()) {}

ResolvedField ResolvedFields::resolved(const config::FieldConfig& field, const std::vector<std::string>* labels) {
  ResolveInput input{.config = field, .datasets = datasets_, .label_values = labels, .measuring = purpose_.measuring};
  if (!purpose_.measuring) input.scales = scales_.of(field);
  ResolvedField result;
  if (is_class_field(field))
    in_field(field.name, [&] { result = resolve_class_field(field, classes_); });
  else if (is_weight_field(field))
    in_field(field.name, [&] { result = resolve_weight_field(field, resample_); });
  else
    result = resolve_field(input);
  in_field(field.name, [&] {
    const bool has_plugin = !field.plugin.empty(), load = purpose_.plugins == Plugins::load;
    if (has_plugin && load) load_plugins(field, result.spec);
    if (has_plugin && !load) transform::Plugin::look_at(field.plugin);
    if (!result.needs_label_values && (load || !has_plugin))
      transform::FieldTransform{result.spec};  // checks values against their types
  });
  return result;
}

void ResolvedFields::resolve(config::Mistakes& mistakes) {
  std::set<std::string> named;  // by fields that are wrong
  for (std::size_t f = 0; f < configs_.size(); ++f) {
    const auto& field = configs_[f];
    const bool known = mistakes.wrong({"field", field.name, ""});
    bool right = false;
    mistakes.attempt([&] {
      if (known)
        in_field(field.name, [&] { check_sources(field, datasets_, mistakes); });
      else
        fields_[f] = resolved(field, nullptr);
      right = true;
    });
    if (!right) add_names(field, named);
  }
  for (const auto& [path, reason] : left_out_)
    if (named.count(path) != 0) mistakes.add("dataset '" + path + "' is left out: " + reason);
}

std::optional<std::string> ResolvedFields::labels_to_read(std::size_t f) const {
  if (!fields_[f] || !fields_[f]->needs_label_values) return std::nullopt;
  return fields_[f]->spec.items[0].dataset;
}

void ResolvedFields::use_labels(std::size_t f, const std::vector<std::string>& values) {
  fields_[f] = resolved(configs_[f], &values);
}

std::vector<std::string> ResolvedFields::sample_paths() const {
  std::vector<std::string> paths;
  for (std::size_t f = 0; f < configs_.size(); ++f)
    if (fields_[f] && configs_[f].join.empty())
      for (const auto& need : fields_[f]->needs) paths.push_back(need.path);
  return paths;
}

std::set<std::string> ResolvedFields::may_lack() const {
  std::set<std::string> paths;
  for (std::size_t f = 0; f < configs_.size(); ++f)
    if (fields_[f] && configs_[f].join.empty() && configs_[f].missing)
      for (const auto& need : fields_[f]->needs)
        if (need.what == DatasetNeed::For::values) paths.insert(need.path);
  return paths;
}

}  // namespace headrace::data::fields
