// The two selections of a transfer of whole rows: in the file and in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "h5/error.hpp"
#include "h5/handle.hpp"

namespace headrace::h5 {

struct RowSelection {
  Space file, memory;
};

/// Rows [first, first + rows) of a dataset of these dims; nothing on either side for no rows.
inline RowSelection select_rows(const Dataset& dataset, const std::vector<hsize_t>& dims, std::uint64_t first,
                                std::uint64_t rows) {
  if (dims.empty())  // one value, which is all there is
    return {Space(check(H5Dget_space(dataset.id()), "H5Dget_space")),
            Space(check(H5Screate(H5S_SCALAR), "H5Screate"))};
  std::vector<hsize_t> start(dims.size(), 0), count = dims;
  start[0] = first;
  count[0] = rows;
  RowSelection selection{
      Space(check(H5Dget_space(dataset.id()), "H5Dget_space")),
      Space(check(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), "H5Screate_simple"))};
  if (rows == 0) {
    check(H5Sselect_none(selection.file.id()), "H5Sselect_none");
    check(H5Sselect_none(selection.memory.id()), "H5Sselect_none");
  } else {
    check(H5Sselect_hyperslab(selection.file.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
          "H5Sselect_hyperslab");
  }
  return selection;
}

}  // namespace headrace::h5
