// .npy files and Zarr v2 arrays: raw rows, one file of each field and shard.
#pragma once

#include "commands/export/format.hpp"

namespace headrace::commands::exporting {

/// What NumPy's files of a field are called, before their numbers: they stand side by side, so with a dot for each slash.
std::string npy_name(const std::string& field);

std::unique_ptr<Format> make_npy(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                 std::uint64_t samples);
std::unique_ptr<Format> make_zarr(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                  std::uint64_t samples);

}  // namespace headrace::commands::exporting
