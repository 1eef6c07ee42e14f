#include "service/plan_fields.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "mpi/agree.hpp"
#include "service/options_value.hpp"
#include "service/raw_contents.hpp"
#include "service/sample_columns.hpp"
#include "service/scale_file.hpp"
#include "transform/plugin.hpp"

namespace headrace::service {

namespace {

/// The values of a label in the files, each once; of the whole data set, whatever streams select.
class LabelValues {
 public:
  LabelValues(const reader::Contents& contents, const mpi::Comm& comm, const reader::LoadOptions& options)
      : contents_(contents), comm_(comm), options_(options) {}

  /// Collective.
  std::vector<std::string> read(const FieldConfig& field, const std::string& dataset) {
    auto samples = mpi::together(comm_, [&] { return reader::select(contents_, {dataset}); });
    auto columns = mpi::together(comm_, [&] {
      auto made = std::make_unique<SampleColumns>(contents_, samples);
      made->add(field.source[0], "[field." + field.name + "] encode (without classes)");
      return made;
    });
    constexpr std::uint64_t at_once = 1 << 20;
    const auto ranks = static_cast<std::uint64_t>(comm_.size());
    std::set<std::string> found;
    for (std::uint64_t begin = 0; begin < samples.samples; begin += at_once * ranks) {
      const auto first = std::min(samples.samples, begin + static_cast<std::uint64_t>(comm_.rank()) * at_once);
      const auto last = std::min(samples.samples, first + at_once);
      std::vector<reader::Interval> mine;
      if (first < last) mine.push_back({first, last});
      columns->read(comm_, first, last, mine, options_);
      mpi::together(comm_, [&] { collect(field, columns->values(0), found); });
    }
    return together(found);
  }

 private:
  static constexpr std::size_t most_classes = 10'000;

  static void collect(const FieldConfig& field, const transform::ColumnValues& values, std::set<std::string>& found) {
    std::visit(
        [&](const auto& all) {
          using T = typename std::decay_t<decltype(all)>::value_type;
          if constexpr (std::is_same_v<T, double>)
            throw UsageError("[field." + field.name + "] encode: '" + field.source[0] +
                             "' holds floats; labels are whole numbers or texts");
          else
            for (const auto& value : std::set<T>(all.begin(), all.end())) {
              if constexpr (std::is_same_v<T, std::string>)
                found.insert(value);
              else
                found.insert(std::to_string(value));
            }
        },
        values);
    require(found.size() <= most_classes, "[field." + field.name + "] encode: '" + field.source[0] +
                                              "' has more than " + std::to_string(most_classes) +
                                              " values; are they labels? Name the classes");
  }

  std::vector<std::string> together(const std::set<std::string>& found) const {
    std::string mine;
    for (const auto& value : found) mine += std::to_string(value.size()) + ":" + value;
    std::set<std::string> all;
    for (const auto& text : comm_.allgather(mine))
      for (std::size_t at = 0; at < text.size();) {
        const auto colon = text.find(':', at);
        const auto length = std::stoul(text.substr(at, colon - at));
        all.insert(text.substr(colon + 1, length));
        at = colon + 1 + length;
      }
    return {all.begin(), all.end()};
  }

  const reader::Contents& contents_;
  const mpi::Comm& comm_;
  const reader::LoadOptions& options_;
};

/// Its mistakes name the field.
template <class Call>
void for_field(const std::string& name, Call call) {
  try {
    call();
  } catch (const UsageError& mistake) {
    throw UsageError("[field." + name + "] " + mistake.what());
  }
}

/// Each item has a state of its own: its columns differ from the others'.
void load_plugins(const FieldConfig& field, transform::FieldSpec& spec) {
  for (auto& item : spec.items) {
    transform::Plugin::Setup setup{field.plugin_args, item.dataset, {}, item.repeated ? 1 : spec.records};
    for (const auto& column : item.columns) setup.columns.push_back(column.name);
    if (!item.constant) item.plugin = std::make_shared<transform::Plugin>(field.plugin, setup);
  }
}

FieldPlan plan_of(const FieldConfig& config, ResolvedField&& resolved, Schema& schema) {
  FieldPlan plan{transform::FieldTransform(std::move(resolved.spec)), schema.size(), {}, {}, resolved.validity};
  schema.push_back(std::move(resolved.field));
  if (resolved.mask) {
    plan.mask = schema.size();
    schema.push_back(std::move(*resolved.mask));
  }
  if (!config.join.empty()) plan.join = Join{config.join, config.join_base};
  return plan;
}

}  // namespace

std::vector<FieldConfig> automatic_fields(const reader::Contents& contents) {
  std::vector<FieldConfig> fields;
  for (const auto& dataset : reader::select(contents, {}).datasets)
    fields.push_back({.name = dataset.path, .source = {dataset.path}});
  return fields;
}

FieldPlans plan_fields(const Config& config, const reader::Contents& contents, const mpi::Comm& comm,
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
    resolved[f] = resolve_field(input);
    if (!field.plugin.empty()) for_field(field.name, [&] { load_plugins(field, resolved[f]->spec); });
  };
  mpi::together(comm, [&] {
    Mistakes mistakes;
    for (std::size_t f = 0; f < fields.size(); ++f) mistakes.attempt([&] { resolve(f, nullptr); });
    if (!mistakes.empty())
      for (const auto& [path, reason] : left_out) mistakes.add("dataset '" + path + "' is left out: " + reason);
    mistakes.throw_if_any();
  });
  for (std::size_t f = 0; f < fields.size(); ++f) {
    if (!resolved[f]->needs_label_values) continue;
    const auto labels = LabelValues(contents, comm, options).read(fields[f], resolved[f]->spec.items[0].dataset);
    mpi::together(comm, [&] { resolve(f, &labels); });
  }
  return mpi::together(comm, [&] {
    FieldPlans plans;
    for (std::size_t f = 0; f < fields.size(); ++f)
      for_field(fields[f].name,
                [&] { plans.fields.push_back(plan_of(fields[f], std::move(*resolved[f]), plans.schema)); });
    return plans;
  });
}

reader::Catalog catalog_of(const reader::Contents& contents, const std::vector<FieldPlan>& fields) {
  const auto paths = sample_datasets(fields);
  require(!paths.empty(), "no field has one row per sample (all are joined or absent); name one that has");
  return reader::select(contents, paths);
}

std::vector<reader::LeftOut> left_out_datasets(const Config& config, const reader::Contents& contents) {
  return config.fields.empty() ? reader::select(contents, {}).left_out : std::vector<reader::LeftOut>();
}

}  // namespace headrace::service
