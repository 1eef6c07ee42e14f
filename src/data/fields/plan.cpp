#include "data/fields/plan.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "catalog/grouping.hpp"
#include "data/fields/class_field.hpp"
#include "data/fields/files.hpp"
#include "data/fields/label_values.hpp"
#include "data/fields/resolve_all.hpp"
#include "data/fields/warnings.hpp"
#include "data/selection/inventory_settings.hpp"
#include "data/selection/questions.hpp"
#include "mpi/agree.hpp"

namespace headrace::data::fields {

namespace {

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
  FieldPlan plan{
      transform::FieldTransform(resolved.spec), {}, {}, resolved.of_weight, schema.size(), {}, {}, resolved.validity};
  plan.by_file = transforms_by_file(resolved);
  for (std::size_t c = 0; resolved.of_class && c < resolved.field.classes.size(); ++c)
    plan.by_class.push_back(std::make_shared<const transform::FieldTransform>(of_class(resolved.spec, c)));
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

FieldPlans plan_fields(const config::Config& config, const catalog::Contents& contents, const mpi::Comm& comm,
                       const reader::LoadOptions& options, bool measuring) {
  auto fields = mpi::together(
      comm, [&] { return ResolvedFields(config, contents, {.plugins = Plugins::load, .measuring = measuring}); });
  mpi::together(comm, [&] {
    config::Mistakes mistakes;
    fields.resolve(mistakes);
    if (mistakes.empty()) return;
    selection::check_streams(config, contents, fields.sample_paths(), fields.may_lack(), mistakes);
    mistakes.throw_if_any();
  });
  for (std::size_t f = 0; f < fields.size(); ++f)
    if (const auto dataset = fields.labels_to_read(f)) {
      const auto labels = label_values(fields.config(f), *dataset, contents, comm, options);
      mpi::together(comm, [&] { fields.use_labels(f, labels); });
    }
  return mpi::together(comm, [&] {
    FieldPlans plans;
    plans.warnings = selection::warnings_of_table(config, contents);
    for (std::size_t f = 0; f < fields.size(); ++f) {
      const auto& field = fields.config(f);
      for (auto& warning : warnings_of(field, *fields.field(f))) plans.warnings.push_back(std::move(warning));
      in_field(field.name, [&] { plans.fields.push_back(plan_of(field, fields.take(f), plans.schema)); });
    }
    return plans;
  });
}

catalog::Catalog catalog_of(const catalog::Contents& contents, const std::vector<FieldPlan>& fields) {
  const auto paths = sample_datasets(fields);
  require(!paths.empty(), "no field has one row per sample (all are joined or absent); name one that has");
  return catalog::select(contents, paths, missing_datasets(fields));
}

std::vector<catalog::LeftOut> left_out_datasets(const config::Config& config, const catalog::Contents& contents) {
  return config.fields.empty() ? catalog::select(contents, {}).left_out : std::vector<catalog::LeftOut>();
}

}  // namespace headrace::data::fields
