#include "commands/writing/roles.hpp"

#include <algorithm>

namespace headrace::commands::writing {

namespace {

using Is = Role::Is;

/// The field whose mask has this name.
const config::FieldConfig* masked_by(const config::Config& config, const std::string& mask) {
  for (const auto& field : config.fields)
    if (!field.mask.empty() && field.mask == mask) return &field;
  return nullptr;
}

/// The class of the jet; where a field holds several labels, none of them is.
Role of_label(config::Encode encode, const Field& field) {
  const bool one_hot = encode == config::Encode::one_hot;
  const bool single = one_hot ? field.shape.size() == 1 : field.elements() == 1;
  if (!single) return {Is::scalar, "", ""};
  return {one_hot ? Is::one_hot : Is::index, "", ""};
}

/// What [resample] has samples weigh is their weight under any name.
bool is_weight(const config::FieldConfig* config, const Field& field) {
  return field.name == "weight" || (config != nullptr && config->source == std::vector<std::string>{"@weight"});
}

Role of_jet(const config::FieldConfig* config, const Field& field) {
  if (config != nullptr && config->encode != config::Encode::none) return of_label(config->encode, field);
  // Labels without encode, such as @class, have their classes' names.
  if (!field.classes.empty()) return {field.shape.empty() ? Is::index : Is::one_hot, "", ""};
  if (field.shape.empty()) return {is_weight(config, field) ? Is::weight : Is::scalar, "", ""};
  return {Is::inputs, "", ""};
}

}  // namespace

const config::FieldConfig* config_of(const config::Config& config, const std::string& field) {
  for (const auto& one : config.fields)
    if (one.name == field) return &one;
  return nullptr;
}

std::vector<std::string> chosen_paths(const config::PremixConfig& config, const std::string& field) {
  std::vector<std::string> paths;
  for (const auto& [path, name] : config.datasets)
    if (name == field) paths.push_back(path);
  return paths;
}

std::vector<std::string> value_names(const Field& field) {
  if (!field.columns.empty()) return field.columns;
  std::vector<std::string> names;
  const auto values = field.shape.empty() ? 1 : field.shape.back();
  for (std::uint64_t i = 0; i < values; ++i) names.push_back(field.name + "_" + std::to_string(i));
  return names;
}

std::vector<Role> roles_of(const config::Config& config, const Schema& schema) {
  std::vector<Role> roles;
  std::vector<std::string> groups;
  for (const auto& field : schema)
    if (field.shape.size() == 2 && masked_by(config, field.name) == nullptr) groups.push_back(field.name);
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& field : schema) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const std::string& name) {
      return field.name.starts_with(name + "_") && field.name.size() > name.size() + 1;
    });
    if (field.name == "headrace_file" || field.name == "headrace_row")
      roles.push_back({Is::provenance, "", ""});
    else if (const auto* owner = masked_by(config, field.name))
      roles.push_back({Is::valid, owner->name, ""});
    else if (field.shape.size() == 2)
      roles.push_back({Is::tracks, field.name, ""});
    else if (field.shape.size() == 1 && group != groups.end() && field.columns.empty())
      roles.push_back({Is::track_label, *group, field.name.substr(group->size() + 1)});
    else
      roles.push_back(of_jet(config_of(config, field.name), field));
  }
  return roles;
}

}  // namespace headrace::commands::writing
