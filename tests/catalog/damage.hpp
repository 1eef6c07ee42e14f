// Files that end whoever reads them, written with the filter of bad_filter.hpp.
#pragma once

#include <array>
#include <filesystem>
#include <string>

#include "bad_filter.hpp"
#include "h5/error.hpp"
#include "h5/handle.hpp"
#include "h5/library.hpp"

/// `rows` rows of one integer of 4 bytes in "bad", one chunk, and ten in "good".
inline std::string write_damage(const std::string& folder, const std::string& name, bad::Deed deed) {
  using namespace headrace::h5;
  library();
  register_bad_filter(false);
  std::filesystem::create_directories(folder);
  auto path = folder + "/" + name + ".h5";
  const File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const hsize_t rows = 10;
  const std::array<int, rows> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const Space space(H5Screate_simple(1, &rows, nullptr));
  const Plist chunked(H5Pcreate(H5P_DATASET_CREATE));
  const unsigned told = deed;
  H5Pset_chunk(chunked.id(), 1, &rows);
  H5Pset_filter(chunked.id(), bad_filter, H5Z_FLAG_MANDATORY, 1, &told);
  const auto write = [&](const char* dataset, hid_t properties) {
    const Dataset made(
        H5Dcreate2(file.id(), dataset, H5T_NATIVE_INT, space.id(), H5P_DEFAULT, properties, H5P_DEFAULT));
    H5Dwrite(made.id(), H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  };
  write("good", H5P_DEFAULT);
  write("bad", chunked.id());
  return path;
}
