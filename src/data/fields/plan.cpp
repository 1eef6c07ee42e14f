#include "data/fields/plan.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/source_item.hpp"
#include "config/value.hpp"
#include "data/fields/files.hpp"
#include "data/fields/label_values.hpp"
#include "data/fields/raw_contents.hpp"
#include "data/fields/scale_file.hpp"
#include "data/fields/warnings.hpp"
#include "data/selection/questions.hpp"
#include "mpi/agree.hpp"
#include "transform/plugin.hpp"

namespace headrace::data::fields {

namespace {

/// Each item has a state of its own: its columns differ from the others'.
void load_plugins(const config::FieldConfig& field, transform::FieldSpec& spec) {
  for (auto& item : spec.items) {
    transform::Plugin::Setup setup{field.plugin_args, item.dataset, {}, item.repeated ? 1 : spec.records};
    for (const auto& column : item.columns) setup.columns.push_back(column.name);
    if (!item.constant) item.plugin = std::make_shared<transform::Plugin>(field.plugin, setup);
  }
}

/// The datasets of samples of the fields that could be resolved.
std::vector<std::string> sample_paths(const std::vector<config::FieldConfig>& fields,
                                      const std::vector<std::optional<ResolvedField>>& resolved) {
  std::vector<std::string> paths;
  for (std::size_t f = 0; f < fields.size(); ++f)
    if (resolved[f] && fields[f].join.empty())
      for (const auto& need : resolved[f]->needs) paths.push_back(need.path);
  return paths;
}

/// One for each file where they are not all alike; files that are share theirs.
std::vector<std::shared_ptr<const transform::FieldTransform>> transforms_by_file(const ResolvedField& resolved) {
  std::vector<std::shared_ptr<const transform::FieldTransform>> all;
  std::vector<std::size_t> kinds;  // the first file of each
  for (std::size_t file = 0; file < files_told_apart(resolved); ++file) {
    const auto like = std::find_if(kinds.begin(), kinds.end(),
                                   [&](std::size_t other) { return same_in_files(resolved, other, file); });
    if (like != kinds.end()) {
      all.push_back(all[*like]);
      continue;
    }
    kinds.push_back(file);
    all.push_back(std::make_shared<const transform::FieldTransform>(as_in_file(file, resolved)));
  }
  return all;
}

FieldPlan plan_of(const config::FieldConfig& config, ResolvedField&& resolved, Schema& schema) {
  FieldPlan plan{transform::FieldTransform(resolved.spec), {}, schema.size(), {}, {}, resolved.validity};
  plan.by_file = transforms_by_file(resolved);
  plan.notes = resolved.left_packed;
  schema.push_back(std::move(resolved.field));
  if (resolved.mask) {
    plan.mask = schema.size();
    schema.push_back(std::move(*resolved.mask));
  }
  if (!config.join.empty()) plan.join = Join{config.join, config.join_base};
  return plan;
}

}  // namespace

std::vector<config::FieldConfig> automatic_fields(const reader::Contents& contents) {
  std::vector<config::FieldConfig> fields;
  for (const auto& dataset : reader::select(contents, {}).datasets)
    fields.push_back({.name = dataset.path, .source = {config::as_item(dataset.path)}});
  return fields;
}

ResolvedField resolve_with_plugins(const ResolveInput& input, Plugins plugins) {
  auto resolved = resolve_field(input);
  in_field(input.config.name, [&] {
    const bool has_plugin = !input.config.plugin.empty(), load = plugins == Plugins::load;
    if (has_plugin && load) load_plugins(input.config, resolved.spec);
    if (has_plugin && !load) transform::Plugin::look_at(input.config.plugin);
    if (!resolved.needs_label_values && (load || !has_plugin))
      transform::FieldTransform{resolved.spec};  // checks values against their types
  });
  return resolved;
}

FieldPlans plan_fields(const config::Config& config, const reader::Contents& contents, const mpi::Comm& comm,
                       const reader::LoadOptions& options, bool measuring) {
  std::vector<reader::LeftOut> left_out;
  const auto datasets = raw_datasets(contents, &left_out);
  ScaleFiles scales;
  const auto fields =
      mpi::together(comm, [&] { return config.fields.empty() ? automatic_fields(contents) : config.fields; });
  std::vector<std::optional<ResolvedField>> resolved(fields.size());
  const auto resolve = [&](std::size_t f, const std::vector<std::string>* labels) {
    const auto& field = fields[f];
    ResolveInput input{.config = field, .datasets = datasets, .label_values = labels, .measuring = measuring};
    if (!measuring) input.scales = scales.of(field);
    resolved[f] = resolve_with_plugins(input);
  };
  mpi::together(comm, [&] {
    config::Mistakes mistakes;
    for (std::size_t f = 0; f < fields.size(); ++f) mistakes.attempt([&] { resolve(f, nullptr); });
    if (mistakes.empty()) return;
    for (const auto& [path, reason] : left_out)
      if (mistakes.mention(path)) mistakes.add("dataset '" + path + "' is left out: " + reason);
    selection::check_streams(config, contents, sample_paths(fields, resolved), mistakes);
    mistakes.throw_if_any();
  });
  for (std::size_t f = 0; f < fields.size(); ++f) {
    if (!resolved[f]->needs_label_values) continue;
    const auto labels = label_values(fields[f], resolved[f]->spec.items[0].dataset, contents, comm, options);
    mpi::together(comm, [&] { resolve(f, &labels); });
  }
  return mpi::together(comm, [&] {
    FieldPlans plans;
    for (std::size_t f = 0; f < fields.size(); ++f) {
      for (auto& warning : warnings_of(fields[f], *resolved[f])) plans.warnings.push_back(std::move(warning));
      in_field(fields[f].name,
               [&] { plans.fields.push_back(plan_of(fields[f], std::move(*resolved[f]), plans.schema)); });
    }
    return plans;
  });
}

reader::Catalog catalog_of(const reader::Contents& contents, const std::vector<FieldPlan>& fields) {
  const auto paths = sample_datasets(fields);
  require(!paths.empty(), "no field has one row per sample (all are joined or absent); name one that has");
  return reader::select(contents, paths, missing_datasets(fields));
}

std::vector<reader::LeftOut> left_out_datasets(const config::Config& config, const reader::Contents& contents) {
  return config.fields.empty() ? reader::select(contents, {}).left_out : std::vector<reader::LeftOut>();
}

}  // namespace headrace::data::fields
