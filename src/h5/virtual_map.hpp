// What a virtual dataset maps to where: the mappings that stand in its file, and where HDF5 looks for their files.
//
// HDF5 answers rows whose source it cannot open with the fill value, and without an error. Whoever reads a virtual
// dataset has to look for the sources first.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <vector>

#include "h5/handle.hpp"

namespace headrace::h5 {

/// A regular hyperslab: along each axis `count` blocks of `block` indices, `stride` apart.
struct Slab {
  std::vector<std::uint64_t> start, stride, count, block;
  bool operator==(const Slab&) const = default;
};

/// One source: a part of a virtual dataset, and what stands there.
struct VirtualPart {
  std::string file;        ///< as it is written there; ".": the virtual dataset's own
  std::string dataset;     ///< without the leading slash
  std::vector<Slab> to;    ///< where it goes, within the virtual dataset's shape
  std::vector<Slab> from;  ///< of the source; none: all of it
  bool unlimited = false;  ///< it goes as far as the source does: without the source nobody knows how far
  std::string found;       ///< the path of its file, once somebody has looked and it holds the dataset; "": not there
  std::uint64_t points() const;  ///< elements of `to`
  bool operator==(const VirtualPart&) const = default;
};

/// Of the creation properties of a virtual dataset of these dims, in the file's order. Names with %b are one part per
/// block, and where there is no block, one for the first all the same.
std::vector<VirtualPart> virtual_parts(const Plist& properties, const std::vector<std::uint64_t>& dims);

/// Where HDF5 looks for a source file, in its order: an absolute path as it is; then (of absolute ones their last name
/// only) in the folders of HDF5_VDS_PREFIX, in that of the virtual file, in the working directory, and in the folder of
/// the file that the virtual file is a symbolic link to. The first that can be opened counts. `home`: the virtual file.
std::vector<std::string> source_candidates(const std::string& home, const std::string& file);

}  // namespace headrace::h5
