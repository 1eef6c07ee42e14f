// What was found of a virtual dataset's sources. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headrace::catalog {

struct VirtualReport {
  std::string dataset;
  std::uint64_t sources = 0;         ///< different files
  std::vector<std::string> missing;  ///< those of them that cannot be used, as the virtual file names them
  std::uint64_t rows = 0;
  std::uint64_t fill_rows = 0;  ///< rows that HDF5 would answer with the fill value
  bool broken = false;          ///< something else is wrong than missing rows: no setting helps
  std::string problem;          ///< the first trouble in full, for people; "": none
  bool seen_through = false;    ///< its sources are read in its place
  std::string why_not;          ///< where not
  bool operator==(const VirtualReport&) const = default;
};

/// "virtual: 300 files, all there"; "virtual: 1 of 3 sources missing (gone.h5): 700 rows would be the fill value".
std::string text_of(const VirtualReport& report);

}  // namespace headrace::catalog
