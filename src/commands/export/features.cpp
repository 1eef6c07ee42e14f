#include "commands/export/features.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "commands/writing/roles.hpp"

namespace headrace::commands::exporting {

namespace {

using formats::Feature;
using formats::How;
using writing::Role;
using Is = Role::Is;

bool is_float(DType type) {
  return type == DType::float16 || type == DType::bfloat16 || type == DType::float32 || type == DType::float64;
}

class Maker {
 public:
  explicit Maker(const Schema& schema) : schema_(schema) {}

  /// The first `count` values of a field's rows.
  void add(const std::string& name, std::size_t field, Feature::Kind kind, std::uint64_t count, How how = How::values) {
    for (const auto& there : made_.features)
      if (there.name == name)
        throw UsageError(fmt::format("two fields become the feature '{}'; leave one out, or rename it", name));
    const auto& source = schema_[field];
    const auto type = kind == Feature::Kind::floats ? DType::float32 : DType::int64;
    formats::Table table;
    table.dataset = {.path = name, .dtype = type, .dims = {1, count}};
    table.parts = {{field, source.dtype, type, 0, count, source.elements(), how}};
    made_.features.push_back({name, kind, count});
    made_.tables.push_back(std::move(table));
  }
  void add(const std::string& name, std::size_t field) {
    const auto& source = schema_[field];
    add(name, field, is_float(source.dtype) ? Feature::Kind::floats : Feature::Kind::integers, source.elements());
  }
  /// Whether any of the field is in a feature.
  bool has(std::size_t field) const {
    return std::ranges::any_of(made_.tables, [&](const auto& table) { return table.parts[0].field == field; });
  }
  Features take() { return std::move(made_); }

 private:
  const Schema& schema_;
  Features made_;
};

std::optional<std::size_t> find(const Schema& schema, const std::vector<Role>& roles, Is is, const std::string& name) {
  std::optional<std::size_t> found;
  for (std::size_t f = 0; f < schema.size(); ++f)
    if (roles[f].is == is && (schema[f].name == name || !found)) found = f;
  return found;
}

/// The weights of samples; two would leave it to chance which one counts.
std::optional<std::size_t> find_weight(const Schema& schema, const std::vector<Role>& roles) {
  std::optional<std::size_t> found;
  for (std::size_t f = 0; f < schema.size(); ++f) {
    if (roles[f].is != Is::weight) continue;
    if (found)
      throw UsageError(fmt::format("names = 'umami': both '{}' and '{}' would be Weights; leave one out",
                                   schema[*found].name, schema[f].name));
    found = f;
  }
  return found;
}

void add_jets(const config::OutputConfig& config, const Schema& schema, const std::vector<Role>& roles, Maker& maker) {
  const auto jets = find(schema, roles, Is::inputs, "jets");
  if (!jets) throw UsageError("names = 'umami' needs the jets' variables (X_jets); add a field of them, called 'jets'");
  const auto labels = find(schema, roles, Is::one_hot, "flavour");
  if (!labels)
    throw UsageError("names = 'umami' needs the jets' labels (Y_jets); add a field with encode = \"one-hot\"");
  const auto variables = schema[*jets].elements();
  if (config.exported.add_vars > variables)
    throw UsageError(fmt::format("add-vars = {}, but '{}' has {} columns; give no more than that",
                                 config.exported.add_vars, schema[*jets].name, variables));
  maker.add("X_jets", *jets, Feature::Kind::floats, variables);
  maker.add("Y_jets", *labels, Feature::Kind::integers, schema[*labels].elements());
  const auto weight = find_weight(schema, roles);
  maker.add("Weights", weight.value_or(*jets), Feature::Kind::floats, 1, weight ? How::values : How::one);
  if (config.exported.add_vars > 0) maker.add("X_Add_Vars", *jets, Feature::Kind::floats, config.exported.add_vars);
}

/// Umami's records have no place for what else a jet has: to drop it would be no answer.
void require_all(const Schema& schema, const Maker& maker) {
  std::string names;
  for (std::size_t f = 0; f < schema.size(); ++f)
    if (!maker.has(f)) names += (names.empty() ? "'" : ", '") + schema[f].name + "'";
  if (!names.empty())
    throw UsageError(fmt::format("names = 'umami' has no feature for {}; leave {} out, or take names = \"fields\"", names,
                                 names.find(',') == std::string::npos ? "it" : "them"));
}

}  // namespace

Features features_of(const config::OutputConfig& config, const Schema& schema) {
  Maker maker(schema);
  if (config.exported.names == config::FeatureNames::fields) {
    for (std::size_t f = 0; f < schema.size(); ++f) maker.add(schema[f].name, f);
    return maker.take();
  }
  const auto roles = writing::roles_of(config, schema);
  add_jets(config, schema, roles, maker);
  for (std::size_t f = 0; f < schema.size(); ++f) {
    const auto& role = roles[f];
    if (role.is == Is::tracks)
      maker.add(schema[f].name + "/inputs", f, Feature::Kind::floats, schema[f].elements());
    else if (role.is == Is::valid)
      maker.add(role.group + "/valid", f, Feature::Kind::integers, schema[f].elements());
    else if (role.is == Is::track_label)
      maker.add(role.group + "/labels/" + role.name, f, Feature::Kind::integers, schema[f].elements());
  }
  require_all(schema, maker);
  return maker.take();
}

void describe_umami(const config::OutputConfig& config, const Schema& schema, const Features& features,
                    nlohmann::ordered_json& metadata) {
  using Json = nlohmann::ordered_json;
  constexpr std::uint64_t unknown_classes = 8;  // as Umami's converter assumes
  const auto roles = writing::roles_of(config, schema);
  for (const auto& feature : features.features) {
    if (feature.name == "X_jets") metadata["n_jet_features"] = feature.count;
    if (feature.name == "Y_jets") metadata["n_dim"] = feature.count;
  }
  auto tracks = Json::object(), variables = Json::object(), labels = Json::object(), classes = Json::object();
  for (std::size_t f = 0; f < schema.size(); ++f) {
    const auto& field = schema[f];
    if (roles[f].is == Is::tracks) {
      tracks[field.name] = field.shape[0];
      variables[field.name] = field.shape[1];
    } else if (roles[f].is == Is::track_label) {
      const auto& group = roles[f].group;
      labels[group] = labels.value(group, std::uint64_t{0}) + 1;
      classes[group] = field.classes.empty() ? unknown_classes : field.classes.size();
    }
  }
  const auto or_null = [](Json json) { return json.empty() ? Json() : json; };
  metadata["n_trks"] = or_null(tracks);
  metadata["n_trk_features"] = or_null(variables);
  metadata["n_trks_labels"] = or_null(labels);
  metadata["n_trks_classes"] = or_null(classes);
  metadata["n_add_vars"] = config.exported.add_vars > 0 ? Json(config.exported.add_vars) : Json();
}

}  // namespace headrace::commands::exporting
