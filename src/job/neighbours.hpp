// Nodes watch each other in a ring: a lifeline (ipc/lifeline.hpp) from each node's leader to the next node's. A node
// that loses power sends nothing, neither does the service while nobody asks for samples, and some launchers notice
// only after minutes. When a lifeline fails, the nodes on both sides of the lost one know within the option
// node-timeout.
#pragma once

#include <string>
#include <vector>

#include "ipc/lifeline.hpp"
#include "job/topology.hpp"

namespace headrace::job {

struct Neighbour {
  std::string host;
  ipc::Lifeline line;
};

/// Collective over all stagers. Of this node's leader: its neighbours, fewer (and a warning) where no network leads to
/// them; none elsewhere, on a service of one node, between nodes of one host, and where `timeout` is 0.
std::vector<Neighbour> find_neighbours(const Topology& topology, double timeout);

}  // namespace headrace::job
