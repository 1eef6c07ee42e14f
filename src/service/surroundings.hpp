// What lies around a service that is about to load, told in the log.
#pragma once

#include "job/topology.hpp"

namespace headrace::service {

/// Collective. Files that the data files name, and that lie elsewhere.
void tell_files_outside(const job::Topology& topology);

/// How messages travel between nodes, where there are several; warns of what lets links stand idle.
void tell_transport(const job::Topology& topology);

}  // namespace headrace::service
