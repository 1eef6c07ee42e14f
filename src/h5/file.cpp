#include "h5/file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/reading_note.hpp"
#include "base/user_file.hpp"
#include "h5/error.hpp"
#include "h5/library.hpp"
#include "h5/refusal.hpp"
#include "mpi/agree.hpp"
#include "mpi/watch_together.hpp"

namespace headrace::h5 {

namespace {

/// The first bytes of the file. Only regular files are opened at all; HDF5 alone says "unable to open" of all others.
std::string head_of(const std::string& path) {
  std::string why;
  const int fd = open_file_of_user(path, why);
  if (fd < 0) {
    if (const auto several = part_of_several(path))
      throw Error(fmt::format("cannot read {} ({}); {}", path, several->why, several->remedy));
    if (instead_of_file(path) == "a directory") why += "; name files or a pattern such as DIR/*.h5";
    throw Error(fmt::format("cannot read {} ({})", path, why));
  }
  std::array<char, 8> magic{};
  const auto length = ::read(fd, magic.data(), magic.size());
  const int failure = errno;
  ::close(fd);
  if (length < 0) throw Error(fmt::format("cannot read {} ({})", path, std::strerror(failure)));
  if (length == 0) throw Error(fmt::format("cannot read {} (it is empty)", path));
  return {magic.data(), static_cast<std::size_t>(length)};
}

void check_readable(const std::string& path) {
  const auto head = head_of(path);
  if (head.starts_with("CDF\x01") || head.starts_with("CDF\x02") || head.starts_with("CDF\x05"))
    throw Error(
        fmt::format("cannot read {} (it is a classic NetCDF-3 file, not HDF5); convert it with "
                    "'nccopy -k nc4 {} NEW.nc'",
                    path, path));
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    const auto several = part_of_several(path);
    throw Error(several ? fmt::format("cannot read {} ({}); {}", path, several->why, several->remedy)
                        : fmt::format("cannot read {} (it is not an HDF5 file)", path));
  }
}

Plist access_list() {
  Plist list(check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  return list;
}

File open_with(const std::string& path, const Plist& access) {
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0) throw Error(refusal(path, reason()));
  return File(id);
}

}  // namespace

File open_file(const std::string& path) {
  const auto note = ReadingNote::of_file(path);
  library();
  check_readable(path);
  return open_with(path, access_list());
}

File open_collective(const mpi::Comm& comm, const std::string& path) {
  const auto note = ReadingNote::of_file(path);
  library();
  mpi::together(comm, [&] { check_readable(path); });
  const auto access = access_list();
  check(H5Pset_fapl_mpio(access.id(), comm.handle(), MPI_INFO_NULL), "H5Pset_fapl_mpio");
  check(H5Pset_all_coll_metadata_ops(access.id(), true), "H5Pset_all_coll_metadata_ops");
  std::exception_ptr failure;
  File file;
  try {
    const auto watch = mpi::watch_together(comm, "open " + path);
    file = open_with(path, access);
  } catch (...) {
    failure = std::current_exception();
  }
  mpi::agree(comm, failure);
  return file;
}

}  // namespace headrace::h5
