#include "h5/write.hpp"

#include <fmt/format.h>

#include "h5/library.hpp"
#include "h5/rows.hpp"
#include "mpi/agree.hpp"

namespace headrace::h5 {

CollectiveWriter::CollectiveWriter(const mpi::Comm& comm, const std::string& path, const std::string& dataset,
                                   const std::vector<std::uint64_t>& dims, Number number)
    : dims_(dims.begin(), dims.end()), type_(H5I_INVALID_HID) {
  library();
  type_ = number == Number::float32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT8;
  mpi::together(comm, [&] { create(comm, path, dataset); });
}

void CollectiveWriter::create(const mpi::Comm& comm, const std::string& path, const std::string& dataset) {
  const Plist access(check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  check(H5Pset_fapl_mpio(access.id(), comm.handle(), MPI_INFO_NULL), "H5Pset_fapl_mpio");
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id());
  if (file < 0) throw Error(fmt::format("cannot write {} ({})", path, reason()));
  file_ = File(file);
  const Space space(check(H5Screate_simple(static_cast<int>(dims_.size()), dims_.data(), nullptr), "H5Screate_simple"));
  const Plist properties(check(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
  check(H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER), "H5Pset_fill_time");  // every byte will be written
  dataset_ = Dataset(
      check(H5Dcreate2(file_.id(), dataset.c_str(), type_, space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
            "H5Dcreate"));
}

void CollectiveWriter::write(std::uint64_t first, std::uint64_t rows, const std::byte* from) const {
  const auto selection = select_rows(dataset_, dims_, first, rows);
  const Plist transfer(check(H5Pcreate(H5P_DATASET_XFER), "H5Pcreate"));
  check(H5Pset_dxpl_mpio(transfer.id(), H5FD_MPIO_COLLECTIVE), "H5Pset_dxpl_mpio");
  if (H5Dwrite(dataset_.id(), type_, selection.memory.id(), selection.file.id(), transfer.id(), from) < 0)
    throw Error("writing failed (" + reason() + ")");
}

}  // namespace headrace::h5
