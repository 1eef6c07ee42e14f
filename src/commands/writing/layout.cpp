#include "commands/writing/layout.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::commands::writing {

std::uint64_t Layout::row_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& table : tables) bytes += table.dataset.row_bytes();
  return bytes;
}

void require_writable(const Schema& schema) {
  for (const auto& field : schema) {
    if (field.dtype == DType::bfloat16)
      throw UsageError(
          fmt::format("[field.{}] bfloat16 cannot be written (HDF5 and NumPy have no such type); set dtype "
                      "= \"float16\" or \"float32\"",
                      field.name));
    if (field.row_bytes() == 0)
      throw UsageError(
          fmt::format("[field.{}] has no values (its shape has a 0) and cannot be written; leave it out", field.name));
  }
}

/// A path that another one passes through would be a group and a dataset.
void require_distinct(const std::vector<formats::Table>& tables) {
  std::set<std::string> paths;
  for (const auto& table : tables)
    if (table.dataset.path.find('\n') != std::string::npos)
      throw UsageError(fmt::format("a dataset cannot be called '{}' (its name has a line break); rename its field, or "
                                   "give it another place in [premix.dataset]",
                                   printable(table.dataset.path)));
  for (const auto& table : tables)
    if (!paths.insert(table.dataset.path).second)
      throw UsageError(fmt::format("two fields become the dataset '{}'; give one another place in [premix.dataset]",
                                   table.dataset.path));
  for (const auto& path : paths)
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      if (paths.count(path.substr(0, slash)) != 0)
        throw UsageError(
            fmt::format("'{}' would be a dataset and, for '{}', a group; give one another place in "
                        "[premix.dataset]",
                        path.substr(0, slash), path));
}

Layout plain_layout(const std::vector<std::pair<std::string, std::string>>& places, const Schema& schema,
                    std::uint64_t samples) {
  std::multimap<std::string, std::string> chosen;
  for (const auto& [path, field] : places) chosen.emplace(field, path);
  Layout layout;
  for (std::size_t f = 0; f < schema.size(); ++f) {
    std::vector<std::string> paths;
    for (auto [at, end] = chosen.equal_range(schema[f].name); at != end; ++at) paths.push_back(at->second);
    if (paths.empty()) paths.push_back(schema[f].name);
    for (const auto& path : paths) {
      layout.tables.push_back(formats::table_of(schema, f, path, samples));
      if (!schema[f].classes.empty()) layout.attributes.push_back({path, "classes", schema[f].classes});
      if (!schema[f].columns.empty()) layout.attributes.push_back({path, "columns", schema[f].columns});
    }
  }
  return layout;
}

}  // namespace headrace::commands::writing
