// Why HDF5 would not open a file, in words that a person can act on. HDF5 alone says "truncated" of a part of a family,
// and "may use h5clear" while another program writes.
#pragma once

#include <optional>
#include <string>

namespace headrace::h5 {

struct Refusal {
  std::string why, remedy;
};

/// For a path that is no HDF5 file by itself, or none at all: whether it belongs to those of the family, split or multi
/// driver.
std::optional<Refusal> part_of_several(const std::string& path);

/// The whole message for an HDF5 file that H5Fopen refused for this `reason`.
std::string refusal(const std::string& path, const std::string& reason);

}  // namespace headrace::h5
