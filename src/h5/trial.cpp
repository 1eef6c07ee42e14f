#include "h5/trial.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/reading_note.hpp"
#include "h5/error.hpp"
#include "h5/outside.hpp"

namespace headrace::h5 {

namespace {

constexpr std::uint64_t most_read = 64 << 10;  // of the rows, in memory
constexpr std::uint64_t most_elements = 1024;  // each may point to much
constexpr std::uint64_t most_decoded = std::uint64_t{64} << 20;
constexpr std::uint64_t most_stored = std::uint64_t{64} << 20;

/// a * b, or more than any limit here.
std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t huge = std::uint64_t{1} << 62;
  return b != 0 && a > huge / b ? huge : a * b;
}

/// As many elements from the first on as are worth reading, none beyond the first chunk: extents along each axis.
std::vector<hsize_t> first_block(const DatasetInfo& info, std::uint64_t element_bytes) {
  auto room = std::clamp<std::uint64_t>(most_read / element_bytes, 1, most_elements);
  std::vector<hsize_t> block(info.dims.size(), 1);
  for (auto axis = block.size(); axis-- > 0;) {
    block[axis] = std::clamp<hsize_t>(info.dims[axis], 1, room);
    if (axis < info.chunk.size()) block[axis] = std::min(block[axis], std::max<hsize_t>(info.chunk[axis], 1));
    room /= block[axis];
  }
  return block;
}

/// The first chunk as it is stored, as decoders of ours get it.
void read_stored(hid_t dataset, const DatasetInfo& info) {
  const std::vector<hsize_t> first(info.dims.size(), 0);
  hsize_t bytes = 0;
  if (H5Dget_chunk_storage_size(dataset, first.data(), &bytes) < 0 || bytes == 0 || bytes > most_stored) return;
  std::vector<std::byte> stored(bytes);
  std::uint32_t skipped = 0;
  H5Dread_chunk(dataset, H5P_DEFAULT, first.data(), &skipped, stored.data());
}

void read_first(hid_t dataset, const DatasetInfo& info) {
  const Type type(check(H5Dget_type(dataset), "H5Dget_type"));
  const auto element = std::max<std::uint64_t>(1, H5Tget_size(type.id()));
  if (element > most_stored) return;
  const Space file(check(H5Dget_space(dataset), "H5Dget_space"));
  Space memory;
  std::uint64_t elements = 1;
  if (info.dims.empty()) {
    memory = Space(check(H5Screate(H5S_SCALAR), "H5Screate"));
  } else {
    const auto block = first_block(info, element);
    const std::vector<hsize_t> start(block.size(), 0);
    for (const auto extent : block) elements *= extent;
    memory = Space(check(H5Screate_simple(static_cast<int>(block.size()), block.data(), nullptr), "H5Screate_simple"));
    check(H5Sselect_hyperslab(file.id(), H5S_SELECT_SET, start.data(), nullptr, block.data(), nullptr),
          "H5Sselect_hyperslab");
  }
  std::vector<std::byte> rows(elements * element);
  const auto file_space = info.dims.empty() ? hid_t{H5S_ALL} : file.id();
  check(H5Dread(dataset, type.id(), memory.id(), file_space, H5P_DEFAULT, rows.data()), "H5Dread");
  if (has_pointers(info.type)) H5Dvlen_reclaim(type.id(), memory.id(), H5P_DEFAULT, rows.data());
}

bool holds_values(hid_t dataset, const DatasetInfo& info) {
  if (!info.dims.empty()) return std::ranges::find(info.dims, 0) == info.dims.end();
  const Space space(check(H5Dget_space(dataset), "H5Dget_space"));
  return H5Sget_simple_extent_type(space.id()) == H5S_SCALAR;
}

}  // namespace

void try_reading(hid_t dataset, const DatasetInfo& info) {
  try {
    if (!holds_values(dataset, info) || !info.home.empty()) return;
    std::uint64_t decoded = info.type.size;
    for (const auto extent : info.chunk) decoded = times(decoded, extent);
    if (info.layout == Layout::chunked) read_stored(dataset, info);
    if (info.layout != Layout::chunked || decoded <= most_decoded) read_first(dataset, info);
  } catch (const Error&) {  // whoever needs the data will be told
  }
  H5Eclear2(H5E_DEFAULT);
}

void try_reading_virtual(hid_t dataset, const DatasetInfo& info) {
  try {
    if (holds_values(dataset, info)) read_first(dataset, info);
  } catch (const Error&) {
  }
  H5Eclear2(H5E_DEFAULT);
}

void require_all_closed() {
  const auto left = H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_ALL);
  H5Eclear2(H5E_DEFAULT);
  if (left == 0) return;
  H5close();  // what cannot be closed now would end the process at its end
  throw Error("HDF5 cannot close it again, as parts of it contradict each other");
}

}  // namespace headrace::h5
