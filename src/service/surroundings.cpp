#include "service/surroundings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/printable.hpp"
#include "h5/outside.hpp"
#include "log/log.hpp"
#include "mpi/transport.hpp"

namespace headrace::service {

void tell_files_outside(const job::Topology& topology) {
  std::string mine;  // the files that this stager looked at
  for (const auto& file : h5::files_outside()) mine += printable(file) + "\n";
  std::set<std::string> all;
  for (const auto& theirs : topology.all.allgather(mine)) {
    std::istringstream lines(theirs);
    for (std::string line; std::getline(lines, line);) all.insert(line);
  }
  if (all.empty()) return;
  constexpr std::size_t at_most = 16;
  log::info("files outside the folders of the data files, which they name and which are read:");
  std::size_t told = 0;
  for (const auto& line : all)
    if (told++ < at_most) log::info("  {}", line);
  if (all.size() > at_most) log::info("  and {} more", all.size() - at_most);
}

void tell_transport(const job::Topology& topology) {
  const auto is_here = [&](const job::Node& node) { return node.host == topology.here().host; };
  if (std::ranges::all_of(topology.nodes, is_here)) return;  // nodes in name only (split-nodes) use shared memory
  const auto transport = mpi::transport();
  std::vector<std::string> parts{transport.version};
  for (const auto& [name, value] : transport.settings) parts.push_back(name + " = " + value);
  if (!transport.congestion_control.empty()) parts.push_back("TCP with " + transport.congestion_control);
  log::info("between nodes: {}", fmt::join(parts, ", "));
  if (transport.congestion_control == "bbr" && topology.me() == 0)
    log::warn(
        "TCP's congestion control is bbr, which guesses rates and lets fast links stand idle; better, by root on each "
        "node: sysctl -w net.ipv4.tcp_congestion_control=cubic");
}

}  // namespace headrace::service
