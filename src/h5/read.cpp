#include "h5/read.hpp"

#include <array>
#include <utility>

#include "h5/outside.hpp"
#include "h5/rows.hpp"

namespace headrace::h5 {

namespace {

static_assert(sizeof(hsize_t) == sizeof(std::uint64_t));
const hsize_t* as_hsize(const std::vector<std::uint64_t>& at) {
  return reinterpret_cast<const hsize_t*>(at.data());
}

CollectiveVerdict verdict(const Plist& transfer) {
  H5D_mpio_actual_io_mode_t mode = H5D_MPIO_NO_COLLECTIVE;
  check(H5Pget_mpio_actual_io_mode(transfer.id(), &mode), "H5Pget_mpio_actual_io_mode");
  std::uint32_t local = 0, global = 0;
  check(H5Pget_mpio_no_collective_cause(transfer.id(), &local, &global), "H5Pget_mpio_no_collective_cause");
  if (mode != H5D_MPIO_NO_COLLECTIVE && global == H5D_MPIO_COLLECTIVE) return {true, ""};
  constexpr std::array<std::pair<std::uint32_t, const char*>, 5> causes{{
      {H5D_MPIO_DATATYPE_CONVERSION, "type conversion"},
      {H5D_MPIO_DATA_TRANSFORMS, "data transforms"},
      {H5D_MPIO_MPI_OPT_TYPES_ENV_VAR_DISABLED, "HDF5_MPI_OPT_TYPES is off"},
      {H5D_MPIO_NOT_SIMPLE_OR_SCALAR_DATASPACES, "the dataspace is not simple"},
      {H5D_MPIO_NOT_CONTIGUOUS_OR_CHUNKED_DATASET, "the dataset is neither contiguous nor chunked"},
  }};
  for (const auto& [bit, text] : causes)
    if (((local | global) & bit) != 0) return {false, text};
  return {false, "HDF5 gives no reason"};
}

}  // namespace

Reader::Reader(const File& file, const std::string& path, std::size_t cache_bytes) {
  const Plist access(check(H5Pcreate(H5P_DATASET_ACCESS), "H5Pcreate"));
  check(H5Pset_chunk_cache(access.id(), H5D_CHUNK_CACHE_NSLOTS_DEFAULT, cache_bytes, 1.0), "H5Pset_chunk_cache");
  follow_with_care(access);
  dataset_ = Dataset(check(H5Dopen2(file.id(), path.c_str(), access.id()), "H5Dopen"));
  type_ = Type(check(H5Dget_type(dataset_.id()), "H5Dget_type"));
  const Space space(check(H5Dget_space(dataset_.id()), "H5Dget_space"));
  dims_.resize(static_cast<std::size_t>(check(H5Sget_simple_extent_ndims(space.id()), "H5Sget_simple_extent_ndims")));
  check(H5Sget_simple_extent_dims(space.id(), dims_.data(), nullptr), "H5Sget_simple_extent_dims");
}

void Reader::read(std::uint64_t first, std::uint64_t rows, std::byte* to, const Plist& transfer) const {
  const auto selection = select_rows(dataset_, dims_, first, rows);
  check(H5Dread(dataset_.id(), type_.id(), selection.memory.id(), selection.file.id(), transfer.id(), to), "H5Dread");
}

void Reader::read(std::uint64_t first, std::uint64_t rows, std::byte* to) const {
  read(first, rows, to, Plist(check(H5Pcreate(H5P_DATASET_XFER), "H5Pcreate")));
}

void Reader::reclaim(std::uint64_t rows, std::byte* raw) const {
  const auto selection = select_rows(dataset_, dims_, 0, rows);
  check(H5Dvlen_reclaim(type_.id(), selection.memory.id(), H5P_DEFAULT, raw), "H5Dvlen_reclaim");
}

CollectiveVerdict Reader::read_collective(std::uint64_t first, std::uint64_t rows, std::byte* to) const {
  const Plist transfer(check(H5Pcreate(H5P_DATASET_XFER), "H5Pcreate"));
  check(H5Pset_dxpl_mpio(transfer.id(), H5FD_MPIO_COLLECTIVE), "H5Pset_dxpl_mpio");
  read(first, rows, to, transfer);
  return verdict(transfer);
}

std::uint64_t Reader::chunk_bytes(const std::vector<std::uint64_t>& at) const {
  hsize_t bytes = 0;
  if (H5Dget_chunk_storage_size(dataset_.id(), as_hsize(at), &bytes) >= 0) return bytes;
  H5Eclear2(H5E_DEFAULT);  // HDF5 1.10 calls it an error that a chunk was never written
  return 0;
}

std::optional<std::uint32_t> Reader::read_chunk(const std::vector<std::uint64_t>& at, std::byte* to) const {
  std::uint32_t skipped = 0;
  if (H5Dread_chunk(dataset_.id(), H5P_DEFAULT, as_hsize(at), &skipped, to) >= 0) return skipped;
  H5Eclear2(H5E_DEFAULT);
  return std::nullopt;
}

}  // namespace headrace::h5
