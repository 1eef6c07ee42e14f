#include "data/selection/scan_files.hpp"

#include <algorithm>
#include <string>

#include "catalog/files.hpp"
#include "catalog/same_files.hpp"
#include "data/selection/inventory_settings.hpp"
#include "data/selection/scan_settings.hpp"
#include "inventory/scan.hpp"
#include "mpi/agree.hpp"

namespace headrace::data::selection {

namespace {

Scanned scan_inventory(const config::Config& config, const job::Topology& topology) {
  if (topology.nodes.size() > 1) catalog::require_same_files(topology.all, topology.node, {config.inventory.csv});
  auto contents = inventory::scan(topology.all, inventory_settings(config));
  mpi::together(topology.all, [&] { require_numbers(config, contents); });
  return {1, std::move(contents)};
}

/// What the patterns match, as the first rank of each node saw it: a file may come while others look.
std::vector<std::string> files_of_node(const config::Config& config, const job::Topology& topology) {
  const auto mine = mpi::together(topology.all, [&] {
    std::string names;  // each ends with a zero: they need not be UTF-8
    if (topology.node.rank() == 0)
      for (const auto& file : catalog::expand_files(config.files)) names += file + '\0';
    return names;
  });
  const auto names = topology.node.bcast(mine);
  std::vector<std::string> files;
  for (std::size_t at = 0; at < names.size(); at += files.back().size() + 1) files.emplace_back(names.data() + at);
  return files;
}

}  // namespace

Scanned scan_files(const config::Config& config, const job::Topology& topology) {
  if (!config.inventory.csv.empty()) return scan_inventory(config, topology);
  const bool several_nodes = topology.nodes.size() > 1;
  const auto files = files_of_node(config, topology);
  if (several_nodes) catalog::require_same_files(topology.all, topology.node, files);
  auto contents = catalog::scan(topology.all, files, scan_options(config));
  if (several_nodes) catalog::require_same_files(topology.all, topology.node, catalog::files_behind(contents));
  return {files.size(), std::move(contents)};
}

Scanned scan_files_alone(const config::Config& config, bool code, std::size_t most) {
  if (!config.inventory.csv.empty()) {
    auto contents = inventory::scan_alone(inventory_settings(config), code);
    require_numbers(config, contents);
    return {1, std::move(contents)};
  }
  auto files = catalog::expand_files(config.files);
  const auto all = files.size();
  files.resize(std::min(all, most));
  return {all, catalog::examine_all(files, scan_options(config))};
}

}  // namespace headrace::data::selection
