// Whether all nodes see the same files. Each could have its own copy, an old one, or none: rows of different files must
// never be mixed in one data set.
#pragma once

#include <string>
#include <vector>

#include "mpi/comm.hpp"

namespace headrace::catalog {

/// Collective over all, and over node, the part of all that shares this node. Compares names, sizes, times (to the
/// second: copies seldom keep more) and a checksum of the first 64 KiB, where HDF5 keeps its headers, with what the
/// node of rank 0 sees. The ranks of a node share the files among them. Errors name node and file.
void require_same_files(const mpi::Comm& all, const mpi::Comm& node, const std::vector<std::string>& files);

}  // namespace headrace::catalog
