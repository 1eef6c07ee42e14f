// One socket between the leader of a node and each of its other stagers: descriptors and control messages go there, and
// its end tells that a stager died.
#pragma once

#include <vector>

#include "ipc/socket.hpp"
#include "job/topology.hpp"

namespace headrace::job {

struct NodeLinks {
  /// On the leader: by local number (0 is empty). Elsewhere: one, to the leader.
  std::vector<ipc::Connection> links;

  /// Collective over the node's stagers.
  static NodeLinks make(const Topology& topology);

  /// Collective over the node: the leader's descriptor, on every stager.
  ipc::Fd share(const Topology& topology, ipc::Fd leaders) const;
};

}  // namespace headrace::job
