#include "inventory/file_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/user_file.hpp"

namespace headrace::inventory {

namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

bool FileReader::values(const std::string& path, const Layout& layout, std::byte* to) {
  constexpr std::uint64_t most = 1u << 30;  // that the kernel reads in one go
  if (layout.bytes > most) return false;
  // What is no file (a FIFO, a device) cannot be read at a place, or gives fewer bytes, or more: then all() looks at it.
  const Descriptor file{open_near(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.fd < 0) return false;
  const auto head = layout.prefix.size();
  const auto whole = head + layout.bytes;
  constexpr std::uint64_t small = 64 << 10;  // stays in a core's cache: one copy more costs less than parts of a read
  if (whole < small) {
    if (content_.size() < small) content_.resize(small);
    const auto got = ::pread(file.fd, content_.data(), whole + 1, 0);
    if (got < 0 || static_cast<std::uint64_t>(got) != whole) return false;
    if (std::memcmp(content_.data(), layout.prefix.data(), head) != 0) return false;
    std::memcpy(to, content_.data() + head, layout.bytes);
    return true;
  }
  head_.resize(head);
  char behind = 0;
  const iovec parts[]{{head_.data(), head}, {to, layout.bytes}, {&behind, 1}};
  const auto got = ::preadv(file.fd, parts, 3, 0);
  return got >= 0 && static_cast<std::uint64_t>(got) == whole && head_ == layout.prefix;
}

int FileReader::open_near(const std::string& path, int flags) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return ::open(path.c_str(), flags);
  if (path.compare(0, slash, folder_path_) != 0) {
    folder_path_.assign(path, 0, slash);
    folder_.close();
    return ::open(path.c_str(), flags);
  }
  if (!folder_) folder_ = ipc::Fd(::open(folder_path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return folder_ ? ::openat(folder_.get(), path.c_str() + slash + 1, flags) : ::open(path.c_str(), flags);
}

void FileReader::leave_folder() {
  folder_path_.clear();
  folder_.close();
}

Content FileReader::all(const std::string& path) {
  std::string why;
  const Descriptor file{open_file_of_user(path, why)};
  if (file.fd < 0) throw Error(why);
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) throw_errno("fstat");
  const auto bytes = static_cast<std::size_t>(status.st_size);
  if (content_.size() < bytes) content_.resize(bytes);
  for (std::size_t done = 0; done < bytes;) {
    const auto got = ::pread(file.fd, content_.data() + done, bytes - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read");
    if (got == 0) throw Error("it has become shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return {content_.data(), bytes};
}

}  // namespace headrace::inventory
