// Where a stager stands in the service: a plain value, for whoever needs to know that and no communicator.
#pragma once

#include <cstdint>
#include <vector>

#include "job/topology.hpp"

namespace headrace::service::host {

struct Seat {
  std::vector<job::Node> nodes;
  std::uint32_t my_node = 0, local = 0;  ///< it is stager `local` of that node

  static Seat of(const job::Topology& topology) { return {topology.nodes, topology.my_node, topology.local()}; }
  const job::Node& here() const { return nodes[my_node]; }
  std::uint32_t me() const { return here().first + local; }
  bool is_leader() const { return local == 0; }
  bool is_head() const { return me() == 0; }  ///< of the service: stager 0
};

}  // namespace headrace::service::host
