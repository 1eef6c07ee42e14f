// Which stagers share a node. Stagers are numbered node by node, however the launcher mapped ranks, so that slabs, too,
// lie node by node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mpi/comm.hpp"

namespace headrace::job {

struct Node {
  std::uint32_t first = 0, stagers = 0;  ///< its stagers: first .. first + stagers - 1
  std::string host;
};

/// What stagers are called in messages, by number: "stager 3 on node1".
std::vector<std::string> stager_names(const std::vector<Node>& nodes);

class Topology {
 public:
  /// Collective over world. split_nodes: every stager counts as a node of its own (tests of what crosses nodes).
  static Topology discover(const mpi::Comm& world, bool split_nodes);

  mpi::Comm all;   ///< all stagers, node by node
  mpi::Comm node;  ///< the stagers of this node
  std::vector<Node> nodes;
  std::uint32_t my_node = 0;
  std::uint32_t stagers_on_host =
      1;  ///< that share this machine's cores; more than here().stagers where nodes are split

  std::uint32_t stagers() const { return static_cast<std::uint32_t>(all.size()); }
  std::uint32_t me() const { return static_cast<std::uint32_t>(all.rank()); }
  std::uint32_t local() const { return static_cast<std::uint32_t>(node.rank()); }
  const Node& here() const { return nodes[my_node]; }
  bool is_leader() const { return local() == 0; }
  bool is_here(std::uint32_t stager) const { return stager >= here().first && stager < here().first + here().stagers; }
  std::uint32_t node_of(std::uint32_t stager) const { return node_of_[stager]; }

 private:
  Topology(mpi::Comm a, mpi::Comm n) : all(std::move(a)), node(std::move(n)) {}
  std::vector<std::uint32_t> node_of_;
};

}  // namespace headrace::job
