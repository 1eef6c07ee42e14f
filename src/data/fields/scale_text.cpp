#include "data/fields/scale_text.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <limits>

#include "base/error.hpp"

namespace headrace::data::fields {

namespace {

using Json = nlohmann::json;

constexpr int deepest = 4;
constexpr std::size_t most_nodes = 4'000'000;  // aliases of YAML can stand for far more than the file holds

Json scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  double number = 0;
  if (YAML::convert<double>::decode(node, number)) return number;
  return text;
}

class Conversion {
 public:
  Json of(const YAML::Node& node, int depth) {
    if (++nodes_ > most_nodes) throw UsageError("it holds more than " + std::to_string(most_nodes) + " values");
    if (node.IsScalar()) return scalar(node);
    if (depth == deepest) return nullptr;
    if (node.IsSequence()) {
      auto list = Json::array();
      for (const auto& entry : node) list.push_back(of(entry, depth + 1));
      return list;
    }
    if (!node.IsMap()) return nullptr;
    auto map = Json::object();
    for (const auto& entry : node)
      if (entry.first.IsScalar()) map[entry.first.Scalar()] = of(entry.second, depth + 1);
    return map;
  }

 private:
  std::size_t nodes_ = 0;
};

Json yaml(const std::string& text, const std::string& path) {
  try {
    return Conversion().of(YAML::Load(text), 0);
  } catch (const YAML::Exception& error) {
    throw UsageError(path + ":" + std::to_string(error.mark.line + 1) + ":" + std::to_string(error.mark.column + 1) +
                     ": not YAML (" + error.msg + ")");
  } catch (const UsageError& error) {
    throw UsageError("'" + path + "' is no scale file (" + error.what() + "); name the file that stats wrote");
  }
}

}  // namespace

nlohmann::json json_or_yaml(std::string_view text, const std::string& path) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool json = path.ends_with(".json") || (!path.ends_with(".yaml") && !path.ends_with(".yml") &&
                                                first != std::string_view::npos && text[first] == '{');
  if (!json) return yaml(std::string(text), path);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw UsageError("'" + path + "' is not JSON (" + error.what() + "); mend it, or name another scale file");
  }
}

}  // namespace headrace::data::fields
