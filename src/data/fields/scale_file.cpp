#include "data/fields/scale_file.hpp"

#include <array>

#include "base/error.hpp"
#include "base/user_file.hpp"
#include "data/fields/scale_text.hpp"

namespace headrace::data::fields {

namespace {

using Json = nlohmann::json;

struct Entry {
  const char* key;
  std::optional<double> VariableScale::*place;
};
constexpr std::array<Entry, 7> entries{{{"shift", &VariableScale::shift},
                                        {"scale", &VariableScale::scale},
                                        {"default", &VariableScale::fallback},
                                        {"mean", &VariableScale::mean},
                                        {"std", &VariableScale::std},
                                        {"min", &VariableScale::min},
                                        {"max", &VariableScale::max}}};

/// The numbers of a variable; whatever else stands there is not ours, but for a number in quotes: without it the others
/// would mean something else.
VariableScale variable_of(const Json& node, const std::string& name, const std::string& path) {
  VariableScale variable;
  std::string text;
  for (const auto& entry : entries) {
    const auto at = node.find(entry.key);
    if (at == node.end()) continue;
    if (at->is_number()) variable.*entry.place = at->get<double>();
    if (at->is_string()) text = entry.key;
  }
  if (!text.empty() && !variable.empty())
    throw UsageError("scale file '" + path + "': " + text + " of '" + name +
                     "' is a text; write it without quotes, or "
                     "leave it out");
  return variable;
}

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

std::string slurp(const std::string& path) {
  std::string why;
  auto text = read_file_of_user(path, why);
  if (!text) throw UsageError("scale file '" + path + "' cannot be read (" + why + "); 'headrace stats' writes one");
  return std::move(*text);
}

}  // namespace

/// Sorts out which entries are variables and which are datasets.
class ScaleFileBuilder {
 public:
  static ScaleFile build(const Json& root, const std::string& path) {
    ScaleFile file;
    file.path_ = path;
    if (!root.is_object())
      throw UsageError("'" + path +
                       "' is no scale file (it holds no names); write datasets, then variables, then "
                       "shift and scale");
    for (const auto& [name, node] : root.items()) {
      if (const auto variable = variable_of(node.is_object() ? node : Json::object(), name, path); !variable.empty())
        file.flat_[name] = variable;
      add_dataset(file, name, node);
    }
    if (file.flat_.empty() && file.datasets_.empty())
      throw UsageError("'" + path +
                       "' is no scale file (no variable has a shift, scale, default, mean, std, min or "
                       "max); 'headrace stats' writes one");
    return file;
  }

 private:
  static void add_dataset(ScaleFile& file, const std::string& name, const Json& node) {
    ScaleFile::Variables variables;
    if (node.is_object()) {
      for (const auto& [key, entry] : node.items())
        if (entry.is_object()) add(file, variables, key, entry);
    } else if (node.is_array()) {
      for (const auto& entry : node)
        if (entry.is_object() && entry.contains("name") && entry["name"].is_string())
          add(file, variables, entry["name"].template get<std::string>(), entry);
    }
    if (!variables.empty()) file.datasets_[name.substr(name.starts_with('/') ? 1 : 0)] = std::move(variables);
  }
  static void add(const ScaleFile& file, ScaleFile::Variables& variables, const std::string& name, const Json& entry) {
    if (const auto variable = variable_of(entry, name, file.path_); !variable.empty()) variables[name] = variable;
  }
};

ScaleFile ScaleFile::parse(std::string_view text, const std::string& path) {
  return ScaleFileBuilder::build(json_or_yaml(text, path), path);
}

ScaleFile ScaleFile::read(const std::string& path) {
  return parse(slurp(path), path);
}

const ScaleFile::Variables* ScaleFile::dataset(const std::string& path) const {
  auto at = datasets_.find(path);
  if (at == datasets_.end()) at = datasets_.find(path.substr(path.rfind('/') + 1));
  return at == datasets_.end() ? nullptr : &at->second;
}

const VariableScale* ScaleFile::find(const std::string& name) const {
  const auto at = flat_.find(name);
  return at == flat_.end() ? nullptr : &at->second;
}

bool ScaleFile::has(const std::string& dataset_path, const std::string& variable) const {
  const auto* variables = dataset(dataset_path);
  return variables && variables->contains(variable);
}

const VariableScale* ScaleFile::find(const std::string& dataset_path, const std::string& variable) const {
  if (const auto* variables = dataset(dataset_path))
    if (const auto at = variables->find(variable); at != variables->end()) return &at->second;
  return find(variable);
}

const VariableScale& ScaleFile::at(const std::string& dataset_path, const std::string& variable) const {
  if (const auto* found = find(dataset_path, variable)) return *found;
  if (const auto* variables = dataset(dataset_path))
    throw UsageError("scale file '" + path_ + "' says nothing about variable '" + variable + "' of dataset '" +
                     dataset_path + "'" + did_you_mean(variable, keys_of(*variables)));
  auto known = keys_of(datasets_);
  for (const auto& name : keys_of(flat_)) known.push_back(name);
  throw UsageError("scale file '" + path_ + "' has neither dataset '" + dataset_path + "' nor variable '" + variable +
                   "'" + did_you_mean(dataset_path, known));
}

const VariableScale& ScaleFile::at(const std::string& name) const {
  if (const auto* found = find(name)) return *found;
  throw UsageError("scale file '" + path_ + "' has no entry '" + name + "'" + did_you_mean(name, keys_of(flat_)));
}

const ScaleFile* ScaleFiles::of(const config::FieldConfig& field) {
  if (field.scale_file.empty()) return nullptr;
  auto at = files_.find(field.scale_file);
  if (at == files_.end()) try {
      at = files_.emplace(field.scale_file, ScaleFile::read(field.scale_file)).first;
    } catch (const UsageError& mistake) {
      throw UsageError("[field." + field.name + "] " + mistake.what());
    }
  return &at->second;
}

}  // namespace headrace::data::fields
