// Shapes that take more bytes than the file has for them: some versions of HDF5 copy what lies behind.
#include <hdf5.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "h5/describe.hpp"
#include "h5/file.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(damaged_shapes)

namespace {

constexpr hsize_t rows = 48, width = 37;

/// One dataset of int32 (48, 37); in the file's bytes the shape says (48, 37 + more).
void write_file(const std::string& path, H5D_layout_t layout, hsize_t more) {
  const hsize_t dims[] = {rows, width};
  const auto file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const auto space = H5Screate_simple(2, dims, nullptr), properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_layout(properties, layout);
  const auto made = H5Dcreate2(file, "x", H5T_STD_I32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  const std::vector<int> values(rows * width, 7);
  H5Dwrite(made, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(made), H5Pclose(properties), H5Sclose(space), H5Fclose(file);
  if (more == 0) return;
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::string shape(sizeof dims, '\0');
  std::memcpy(shape.data(), dims, sizeof dims);
  const auto changed = width + more;
  int found = 0;
  for (auto at = bytes.find(shape); at != std::string::npos; at = bytes.find(shape, at + 1), ++found)
    std::memcpy(bytes.data() + at + sizeof(hsize_t), &changed, sizeof changed);
  BOOST_TEST_REQUIRE(found == 2);  // extents, and the most that they may become
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_shape_that_takes_more_bytes_than_there_are) {
  const auto path = (std::filesystem::temp_directory_path() / ("headrace-shape-" + std::to_string(getpid()))).string();
  for (const auto layout : {H5D_COMPACT, H5D_CONTIGUOUS}) {
    write_file(path, layout, 0);
    BOOST_TEST(h5::describe_datasets(h5::open_file(path)).at(0).problem == "");
    write_file(path, layout, 1);
    const auto problem = h5::describe_datasets(h5::open_file(path)).at(0).problem;
#if H5_VERSION_GE(1, 14, 0)  // HDF5 looks at that itself
    BOOST_TEST(problem.starts_with("H5Dopen failed ("));
#else
    BOOST_TEST(problem == "dataset 'x' holds 7104 bytes, and its shape takes 7296; it is damaged: copy it anew");
#endif
  }
  std::filesystem::remove(path);
}

/// The index of HDF5's older format holds the size of each chunk, though without filters all have the same.
BOOST_AUTO_TEST_CASE(a_chunk_that_is_longer_than_chunks_are) {
  const auto path = (std::filesystem::temp_directory_path() / ("headrace-chunk-" + std::to_string(getpid()))).string();
  {
    const hsize_t dims[] = {rows, width}, chunk[] = {8, width};
    const auto file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const auto space = H5Screate_simple(2, dims, nullptr), properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 2, chunk);
    const auto made = H5Dcreate2(file, "x", H5T_STD_I32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    const std::vector<int> values(rows * width, 7);
    H5Dwrite(made, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(made), H5Pclose(properties), H5Sclose(space), H5Fclose(file);
  }
  BOOST_TEST(h5::describe_datasets(h5::open_file(path)).at(0).problem == "");
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  // A key: size of the chunk (1184 bytes), mask of filters, first row.
  const std::string key("\xa0\x04\0\0\0\0\0\0\x10\0\0\0", 12);
  const auto at = bytes.find(key);
  BOOST_TEST_REQUIRE((at != std::string::npos));
  bytes[at] = '\xb0';
  std::ofstream(path, std::ios::binary) << bytes;
  BOOST_TEST(h5::describe_datasets(h5::open_file(path)).at(0).problem ==
             "dataset 'x' holds 7120 bytes, and its shape takes chunks of 1184; it is damaged: copy it anew");
  std::filesystem::remove(path);
}

/// Where some chunks were never written, the sum of the others' sizes says little.
BOOST_AUTO_TEST_CASE(a_chunk_that_is_twice_as_long_as_chunks_are) {
  const auto path = (std::filesystem::temp_directory_path() / ("headrace-twice-" + std::to_string(getpid()))).string();
  const auto write = [&] {
    const hsize_t dims[] = {rows, width}, chunk[] = {8, width}, some[] = {16, width}, start[] = {8, 0};
    const auto file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const auto space = H5Screate_simple(2, dims, nullptr), properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 2, chunk);
    const auto made = H5Dcreate2(file, "x", H5T_STD_I32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    const auto memory = H5Screate_simple(2, some, nullptr);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, some, nullptr);
    const std::vector<int> values(16 * width, 7);
    H5Dwrite(made, H5T_NATIVE_INT, memory, space, H5P_DEFAULT, values.data());
    H5Sclose(memory), H5Dclose(made), H5Pclose(properties), H5Sclose(space), H5Fclose(file);
  };
  // Keys of the chunks that begin at rows 8 and 16: size of the chunk (1184 bytes), mask of filters, first row.
  const auto change = [&](char row, int bytes) {
    std::string all;
    {
      std::ifstream in(path, std::ios::binary);
      all.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto at = all.find(std::string("\xa0\x04\0\0\0\0\0\0", 8) + std::string(1, row) + std::string(3, '\0'));
    BOOST_TEST_REQUIRE((at != std::string::npos));
    std::memcpy(all.data() + at, &bytes, sizeof bytes);
    std::ofstream(path, std::ios::binary) << all;
  };
  const auto problem = [&] { return std::string(h5::describe_datasets(h5::open_file(path)).at(0).problem); };
  write();
  BOOST_TEST(problem() == "");
  change(8, 2 * 1184);
  BOOST_TEST(problem() ==
             "dataset 'x' holds 3552 bytes, and its shape takes chunks of 1184; it is damaged: copy it anew");
  change(16, 0);  // and now the sum is right
  BOOST_TEST(problem() ==
             "dataset 'x' holds 2368 bytes, and its shape takes chunks of 1184; it is damaged: copy it anew");
  std::filesystem::remove(path);
}

BOOST_AUTO_TEST_CASE(a_row_in_more_chunks_than_memory_is_for) {
  const auto path = (std::filesystem::temp_directory_path() / ("headrace-many-" + std::to_string(getpid()))).string();
  const auto problem = [&](hsize_t across) {
    const hsize_t dims[] = {4, across, 1 << 10}, chunk[] = {2, 1, 1};
    const auto file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const auto space = H5Screate_simple(3, dims, nullptr), properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 3, chunk);
    H5Dclose(H5Dcreate2(file, "x", H5T_STD_I32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT));
    H5Pclose(properties), H5Sclose(space), H5Fclose(file);
    return h5::describe_datasets(h5::open_file(path)).at(0).problem;
  };
  BOOST_TEST(problem(1 << 10) == "");
  BOOST_TEST(
      problem((1 << 10) + 1)
          .starts_with(
              "each row of dataset 'x' is spread over 1049600 chunks, and at most 1048576 can be read at once;"));
  std::filesystem::remove(path);
}

BOOST_AUTO_TEST_SUITE_END()
