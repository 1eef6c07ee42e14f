#include "h5/chunks/noting_driver.hpp"

#include <hdf5.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/user_file.hpp"
#include "h5/error.hpp"
#include "h5/library.hpp"

namespace headrace::h5::chunks {

namespace {

thread_local Noted* noting_in = nullptr;

/// As HDF5 knows it: what is its own comes first.
struct OpenFile {
  H5FD_t shown_to_hdf5{};
  int fd = -1;
  haddr_t eoa = 0, eof = 0;
  dev_t device = 0;
  ino_t inode = 0;
};

OpenFile& mine(H5FD_t* file) {
  return *reinterpret_cast<OpenFile*>(file);
}
const OpenFile& mine(const H5FD_t* file) {
  return *reinterpret_cast<const OpenFile*>(file);
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t /*access*/, haddr_t /*most*/) {
  if ((flags & (H5F_ACC_RDWR | H5F_ACC_TRUNC | H5F_ACC_CREAT)) != 0) return nullptr;
  try {
    std::string why;
    const int fd = open_file_of_user(name, why);
    if (fd < 0) return nullptr;
    struct stat status {};
    auto* file = ::fstat(fd, &status) == 0 ? new (std::nothrow) OpenFile : nullptr;
    if (file == nullptr) {
      ::close(fd);
      return nullptr;
    }
    file->fd = fd;
    file->eof = static_cast<haddr_t>(status.st_size);
    file->device = status.st_dev;
    file->inode = status.st_ino;
    return &file->shown_to_hdf5;
  } catch (const std::exception&) {  // HDF5 is C
    return nullptr;
  }
}

herr_t close_file(H5FD_t* file) {
  ::close(mine(file).fd);
  delete &mine(file);
  return 0;
}

int compare(const H5FD_t* one, const H5FD_t* other) {
  const auto key = [](const H5FD_t* file) { return std::pair(mine(file).device, mine(file).inode); };
  return key(one) < key(other) ? -1 : key(other) < key(one) ? 1 : 0;
}

herr_t features(const H5FD_t* /*file*/, unsigned long* flags) {
  if (flags != nullptr) *flags = H5FD_FEAT_ACCUMULATE_METADATA;
  return 0;
}

haddr_t eoa_of(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return mine(file).eoa;
}
herr_t set_eoa(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t at) {
  mine(file).eoa = at;
  return 0;
}
haddr_t eof_of(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return mine(file).eof;
}

/// Zeros beyond the end, as HDF5's own driver has them.
herr_t read_or_note(H5FD_t* file, H5FD_mem_t type, hid_t /*transfer*/, haddr_t at, std::size_t bytes, void* to) {
  if (noting_in != nullptr && type == H5FD_MEM_DRAW) {
    if (noting_in->reads++ == 0) noting_in->offset = at, noting_in->bytes = bytes;
    return 0;
  }
  auto* next = static_cast<char*>(to);
  while (bytes > 0) {
    const auto got = ::pread(mine(file).fd, next, bytes, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) {
      std::memset(next, 0, bytes);
      break;
    }
    next += got;
    at += static_cast<haddr_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
  return 0;
}

herr_t write_nothing(H5FD_t* /*file*/, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t /*at*/, std::size_t /*bytes*/,
                     const void* /*from*/) {
  return -1;
}

H5FD_class_t description() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(H5_VFD_RESERVED + 72);
#endif
  driver.name = "headrace_noting";
  driver.maxaddr = static_cast<haddr_t>(std::numeric_limits<off_t>::max());
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.open = open_file;
  driver.close = close_file;
  driver.cmp = compare;
  driver.query = features;
  driver.get_eoa = eoa_of;
  driver.set_eoa = set_eoa;
  driver.get_eof = eof_of;
  driver.read = read_or_note;
  driver.write = write_nothing;
  const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
  static_assert(sizeof map == sizeof driver.fl_map);
  std::memcpy(driver.fl_map, map, sizeof map);
  return driver;
}

hid_t driver_id() {
  static const auto driver = description();  // HDF5 copies it, and 1.10 keeps its name's address
  static const hid_t id = check(H5FDregister(&driver), "H5FDregister");
  return id;
}

}  // namespace

File open_to_note(const std::string& path) {
  library();
  const Plist access(check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  check(H5Pset_driver(access.id(), driver_id(), nullptr), "H5Pset_driver");
  return File(check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), "H5Fopen"));
}

Noting::Noting() {
  noting_in = &noted_;
}

Noting::~Noting() {
  noting_in = nullptr;
}

}  // namespace headrace::h5::chunks
