#include "h5/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "h5/error.hpp"
#include "mpi/agree.hpp"
#include "mpi/watch.hpp"

namespace headrace::h5 {

namespace {

// Why the system would not let us read the file; "" if it does. HDF5 alone says "unable to open" for all of these.
std::string system_says(const std::string& path, std::string& head) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return "no such file";
    if (errno == EACCES || errno == EPERM) return "no permission to read it";
    return std::strerror(errno);
  }
  struct stat status {};
  std::array<char, 8> magic{};
  const bool known = ::fstat(fd, &status) == 0;
  const auto length = ::read(fd, magic.data(), magic.size());
  const int why = errno;
  ::close(fd);
  if (known && S_ISDIR(status.st_mode)) return "it is a directory; name files or a pattern such as DIR/*.h5";
  if (length < 0) return std::strerror(why);
  if (length == 0) return "it is empty";
  head.assign(magic.data(), static_cast<std::size_t>(length));
  return "";
}

void check_readable(const std::string& path) {
  std::string head;
  if (const auto why = system_says(path, head); !why.empty())
    throw Error(fmt::format("cannot read {} ({})", path, why));
  if (head.starts_with("CDF\x01") || head.starts_with("CDF\x02") || head.starts_with("CDF\x05"))
    throw Error(
        fmt::format("cannot read {} (it is a classic NetCDF-3 file, not HDF5); convert it with "
                    "'nccopy -k nc4 {} NEW.nc'",
                    path, path));
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(fmt::format("cannot read {} (it is not an HDF5 file)", path));
  }
}

Plist access_list() {
  Plist list(check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  return list;
}

[[noreturn]] void throw_unopenable(const std::string& path) {
  auto why = reason();
  if (const auto hint = newer_version_hint(why); !hint.empty())
    throw Error(fmt::format("cannot open {} ({}){}", path, why, hint));
  if (why.find("truncated") != std::string::npos) why = "the file is cut short: " + why;
  throw Error(fmt::format("cannot open {} ({}); it is damaged or still being written", path, why));
}

File open_with(const std::string& path, const Plist& access) {
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id());
  if (id < 0) throw_unopenable(path);
  return File(id);
}

}  // namespace

File open_file(const std::string& path) {
  library();
  check_readable(path);
  return open_with(path, access_list());
}

File open_collective(const mpi::Comm& comm, const std::string& path) {
  library();
  mpi::together(comm, [&] { check_readable(path); });
  const auto access = access_list();
  check(H5Pset_fapl_mpio(access.id(), comm.handle(), MPI_INFO_NULL), "H5Pset_fapl_mpio");
  check(H5Pset_all_coll_metadata_ops(access.id(), true), "H5Pset_all_coll_metadata_ops");
  std::exception_ptr failure;
  File file;
  try {
    const mpi::Watch watch(comm, "open " + path);
    file = open_with(path, access);
  } catch (...) {
    failure = std::current_exception();
  }
  mpi::agree(comm, failure);
  return file;
}

}  // namespace headrace::h5
