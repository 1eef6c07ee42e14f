#include "catalog/file_print.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "base/user_file.hpp"

namespace headrace::catalog {

FilePrint print_of(const std::string& path) {
  constexpr std::size_t head_bytes = 64 << 10;
  std::string why;
  const int fd = open_file_of_user(path, why);
  require(fd >= 0, fmt::format("cannot open {} ({}); every node has to see every file", path, why));
  struct stat status {};
  std::vector<unsigned char> head(head_bytes);
  std::size_t got = 0;
  ssize_t count = ::fstat(fd, &status);
  if (count == 0)
    while ((count = ::pread(fd, head.data() + got, head.size() - got, static_cast<off_t>(got))) > 0)
      got += static_cast<std::size_t>(count);
  const int failure = errno;
  ::close(fd);
  require(count >= 0, fmt::format("cannot read {} ({})", path, std::strerror(failure)));
  return {static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
          crc32(0, head.data(), static_cast<unsigned>(got))};
}

}  // namespace headrace::catalog
