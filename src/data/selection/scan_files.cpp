#include "data/selection/scan_files.hpp"

#include "catalog/files.hpp"
#include "catalog/same_files.hpp"
#include "data/selection/scan_settings.hpp"
#include "mpi/agree.hpp"

namespace headrace::data::selection {

Scanned scan_files(const config::Config& config, const job::Topology& topology) {
  const bool several_nodes = topology.nodes.size() > 1;
  const auto files = mpi::together(topology.all, [&] { return catalog::expand_files(config.files); });
  if (several_nodes) catalog::require_same_files(topology.all, topology.node, files);
  auto contents = catalog::scan(topology.all, files, scan_options(config));
  if (several_nodes) catalog::require_same_files(topology.all, topology.node, catalog::files_behind(contents));
  return {files.size(), std::move(contents)};
}

}  // namespace headrace::data::selection
