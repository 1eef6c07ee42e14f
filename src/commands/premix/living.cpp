#include "commands/premix/living.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hpp"

namespace headrace::commands::premix {

namespace {

using writing::Role;
using Is = Role::Is;
using formats::How;
using formats::Part;
using formats::Table;

class Living {
 public:
  explicit Living(const Design& of) : of_(of) {}

  writing::Layout make() {
    for (std::size_t f = 0; f < of_.schema.size(); ++f) add(f);
    if (tables_.count("jets") == 0)
      throw UsageError(
          "layout = 'ftag' needs fields of jets (without an axis for tracks); add one, as in [field.pt] "
          "source = \"jets.pt\"");
    writing::Layout layout;
    for (const auto& name : order_) layout.tables.push_back(std::move(tables_.at(name)));
    layout.attributes = std::move(attributes_);
    layout.attributes.push_back({"/", "unique_jets", static_cast<std::int64_t>(of_.samples)});
    return layout;
  }

 private:
  Table& table(const std::string& name, std::uint64_t records, bool of_jets) {
    auto [at, made] = tables_.try_emplace(name);
    auto& table = at->second;
    if (made) {
      order_.push_back(name);
      table.records = records;
      table.dataset = {.path = name, .dims = {of_.samples}};
      if (!of_jets) table.dataset.dims.push_back(records);
    }
    if (table.records != records)
      throw UsageError(
          fmt::format("the dataset '{}' would have {} and {} elements a jet; pad its fields alike, or give "
                      "them other places in [premix.dataset]",
                      name, table.records, records));
    return table;
  }

  void member(Table& to, const std::string& name, DType type, const Part& part) {
    for (const auto& there : to.dataset.members)
      if (there.name == name)
        throw UsageError(
            fmt::format("two fields become '{}' of the dataset '{}'; leave one out, or give it another "
                        "place in [premix.dataset]",
                        name, to.dataset.path));
    // Another number of bytes would be written over what follows the member.
    require(part.made() * size_of(part.to) == size_of(type),
            fmt::format("'{}' of the dataset '{}' would be {} values; leave its field out", name, to.dataset.path,
                        part.made()));
    to.dataset.members.push_back({name, type});
    to.parts.push_back(part);
  }

  /// Of more axes only the first values would be written.
  static void require_axes(const Field& field, const Role& role) {
    const std::size_t most = role.is == Is::tracks ? 2 : 1;
    if (field.shape.size() > most)
      throw UsageError(
          fmt::format("layout = 'ftag' has no place for all values of '{}', which has {} axes; leave it out, give its "
                      "field fewer axes (shape), or choose another layout",
                      field.name, field.shape.size()));
  }

  void add(std::size_t f) {
    const auto& field = of_.schema[f];
    const auto& role = of_.roles[f];
    require_axes(field, role);
    const bool of_tracks = role.is == Is::tracks || role.is == Is::valid || role.is == Is::track_label;
    const auto chosen = writing::chosen_paths(of_.config.premix, field.name);
    const auto path = chosen.empty() ? (of_tracks ? role.group : std::string("jets")) : chosen.front();
    if (chosen.size() > 1)
      throw UsageError(
          fmt::format("[premix.dataset] names the field '{}' {} times; with layout = 'ftag' it has one "
                      "place",
                      field.name, chosen.size()));
    const auto records = of_tracks ? field.shape.at(0) : std::uint64_t{1};
    auto& to = table(path, records, !of_tracks);
    const auto type = field.dtype;
    if (role.is == Is::one_hot || role.is == Is::index) {
      const bool hot = role.is == Is::one_hot;
      member(to, "flavour_label", DType::int32,
             {f, type, DType::int32, 0, field.elements(), field.elements(), hot ? How::argmax : How::values});
      if (!field.classes.empty()) attributes_.push_back({path, "flavour_label", field.classes});
    } else if (role.is == Is::valid || role.is == Is::track_label) {
      member(to, role.is == Is::valid ? "valid" : role.name, type, {f, type, type, 0, 1, 1});
    } else if (field.shape.empty()) {
      member(to, field.name, type, {f, type, type, 0, 1, 1});
    } else {
      const auto names = writing::value_names(field);
      for (std::uint64_t v = 0; v < names.size(); ++v) member(to, names[v], type, {f, type, type, v, 1, names.size()});
    }
  }

  const Design& of_;
  std::map<std::string, Table> tables_;
  std::vector<std::string> order_;
  std::vector<h5::NewAttribute> attributes_;
};

}  // namespace

writing::Layout living(const Design& design) {
  return Living(design).make();
}

}  // namespace headrace::commands::premix
