#include "commands/premix/umami.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace headrace::commands::premix {

namespace {

using writing::Role;
using Is = Role::Is;
using formats::How;
using formats::Table;

bool is_integer(DType type) {
  return type != DType::float16 && type != DType::bfloat16 && type != DType::float32 && type != DType::float64;
}

std::vector<std::string> usual_paths(const Role& role, const Field& field) {
  switch (role.is) {
    case Is::inputs:
      return {field.name == "jets" ? "jets/inputs" : "jets/add_labels/" + field.name};
    case Is::one_hot:
      return {"jets/labels", "jets/labels_one_hot"};
    case Is::index:
      return {"jets/labels"};
    case Is::weight:
      return {"jets/weight"};
    case Is::scalar:
      return {"jets/add_labels/" + field.name};
    case Is::tracks:
      return {field.name + "/inputs"};
    case Is::valid:
      return {role.group + "/valid"};
    case Is::track_label:
      return {role.group + "/labels/" + role.name};
    case Is::provenance:
      return {field.name};
  }
  return {};
}

/// One value per jet, made of all values of the field's row.
Table single(const Schema& schema, std::size_t field, const std::string& path, std::uint64_t rows, DType to, How how) {
  Table table;
  const auto& source = schema[field];
  table.dataset = {.path = path, .dtype = to, .dims = {rows}};
  table.parts = {{field, source.dtype, to, 0, source.elements(), source.elements(), how}};
  return table;
}

class Umami {
 public:
  explicit Umami(const Design& of) : of_(of) {}

  writing::Layout make() {
    // An index field says what jets/labels is; else the one-hot one does.
    const bool index = std::any_of(of_.roles.begin(), of_.roles.end(), [](const Role& r) { return r.is == Is::index; });
    for (std::size_t f = 0; f < of_.schema.size(); ++f) {
      auto paths = writing::chosen_paths(of_.config.premix, of_.schema[f].name);
      if (paths.empty()) {
        paths = usual_paths(of_.roles[f], of_.schema[f]);
        if (of_.roles[f].is == Is::one_hot && index) std::erase(paths, "jets/labels");
      }
      for (const auto& path : paths) add(f, path);
    }
    if (!has("jets/inputs"))
      throw UsageError(
          "layout = 'umami' needs the jets' variables; call their field 'jets', or say which it is: [premix.dataset] "
          "\"jets/inputs\" = \"FIELD\"");
    if (!has("jets/weight")) {
      const auto inputs = field_of("jets/inputs");
      layout_.tables.push_back(
          single(of_.schema, inputs, "jets/weight", of_.samples, of_.schema[inputs].dtype, How::one));
    }
    return std::move(layout_);
  }

 private:
  bool has(const std::string& path) const {
    return std::any_of(layout_.tables.begin(), layout_.tables.end(),
                       [&](const Table& table) { return table.dataset.path == path; });
  }
  std::size_t field_of(const std::string& path) const {
    for (const auto& table : layout_.tables)
      if (table.dataset.path == path) return table.parts[0].field;
    return 0;
  }

  /// The greatest of several values tells the class only where there is one for each class.
  void require_label(const Field& field) const {
    const auto* config = writing::config_of(of_.config, field.name);
    const bool codes = config != nullptr && config->encode == config::Encode::index;
    if (field.elements() > 1 && (codes || field.shape.size() > 1))
      throw UsageError(
          fmt::format("[premix.dataset] \"jets/labels\" = '{}': that is {} labels for each jet; give it a field with "
                      "one, as in source = \"DATASET.0\"",
                      field.name, field.elements()));
    constexpr std::size_t most_classes = 256;  // of uint8
    if (field.classes.size() > most_classes)
      throw UsageError(
          fmt::format("layout = 'umami' has labels of uint8, which tell {} classes apart, and '{}' has {}; join some, "
                      "or take another layout",
                      most_classes, field.name, field.classes.size()));
  }

  void add(std::size_t f, const std::string& path) {
    const auto& field = of_.schema[f];
    auto& tables = layout_.tables;
    if (path == "jets/labels") {
      require_label(field);
      const bool hot = of_.roles[f].is == Is::one_hot || field.elements() > 1;
      tables.push_back(hot ? single(of_.schema, f, path, of_.samples, DType::uint8, How::argmax)
                           : formats::table_of(of_.schema, f, path, of_.samples, DType::uint8));
      if (!field.classes.empty()) {
        layout_.attributes.push_back({path, "label_classes", field.classes});
        if (!std::exchange(classes_told_, true)) layout_.attributes.push_back({"jets", "flavour_label", field.classes});
      }
    } else if (path == "jets/labels_one_hot") {
      tables.push_back(formats::table_of(of_.schema, f, path, of_.samples, DType::uint8));
      if (!field.classes.empty()) layout_.attributes.push_back({path, "label_classes", field.classes});
    } else if (path.find("/labels/") != std::string::npos) {
      const auto* config = writing::config_of(of_.config, field.name);
      const bool own = (config != nullptr && config->dtype) || !is_integer(field.dtype);
      tables.push_back(formats::table_of(of_.schema, f, path, of_.samples, own ? field.dtype : DType::int8));
    } else {
      tables.push_back(formats::table_of(of_.schema, f, path, of_.samples));
      if (path.starts_with("jets/add_labels/") && !is_integer(field.dtype)) tables.back().parts[0].how = How::zero_nan;
      if (path == "jets/inputs") layout_.attributes.push_back({path, "jet_variables", writing::value_names(field)});
      if (path != "jets/inputs" && path.ends_with("/inputs"))
        layout_.attributes.push_back({path, "variables", writing::value_names(field)});
    }
  }

  const Design& of_;
  writing::Layout layout_;
  bool classes_told_ = false;
};

}  // namespace

writing::Layout umami(const Design& design) {
  return Umami(design).make();
}

}  // namespace headrace::commands::premix
