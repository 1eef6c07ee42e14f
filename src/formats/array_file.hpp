// What stands around the raw rows of an array in files of other kinds. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/schema.hpp"

namespace headrace::formats {

/// NumPy's name of the type in files: "<f4", "|b1". UsageError for bfloat16, which NumPy lacks.
std::string numpy_type(const Field& field);
/// The head of an .npy file (version 1.0) of so many rows.
std::string npy_head(const Field& field, std::uint64_t rows);
/// Blosc, as .zarray names it, with bytes shuffled where elements have several: any reader of Zarr undoes it.
struct ZarrCompressor {
  std::string within;  ///< "zlib", "lz4", "zstd"; "": there is none
  int level = 0;       ///< 1 to 9
};
/// .zarray of a Zarr v2 array of so many rows in chunks of so many.
std::string zarr_array(const Field& field, std::uint64_t rows, std::uint64_t chunk_rows, const ZarrCompressor& by = {});
/// .zattrs: the names of axes (for xarray), of columns and classes.
std::string zarr_attributes(const Field& field);
/// The name of a chunk's file: "3.0.0".
std::string zarr_chunk(const Field& field, std::uint64_t number);

}  // namespace headrace::formats
