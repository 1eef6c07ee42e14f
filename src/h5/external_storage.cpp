#include "h5/external_storage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

std::string place_of(const std::string& name, const std::string& home) {
  const char* value = std::getenv("HDF5_EXTFILE_PREFIX");
  std::string prefix = value != nullptr ? value : "";
  constexpr std::string_view origin = "${ORIGIN}";
  if (name.starts_with('/') || prefix.empty() || prefix == ".") return name;
  if (prefix.starts_with(origin)) {
    std::error_code ignored;
    prefix = std::filesystem::absolute(home, ignored).parent_path().string() + prefix.substr(origin.size());
  }
  return prefix + (prefix.ends_with('/') ? "" : "/") + name;
}

/// What is wrong with a raw file that must reach as far as byte `end`; "" if nothing is.
std::string trouble(const std::string& path, std::uint64_t end) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT ? "no such file" : std::strerror(errno);
  struct stat status {};
  const bool known = ::fstat(fd, &status) == 0;
  ::close(fd);
  if (!known || !S_ISREG(status.st_mode)) return "it is no regular file";
  if (static_cast<std::uint64_t>(status.st_size) < end)
    return fmt::format("it is too short: {} bytes, where the dataset needs {}", status.st_size, end);
  return "";
}

}  // namespace

RawFiles raw_files(const Plist& properties, const std::string& home, std::uint64_t bytes) {
  RawFiles files;
  const int count = H5Pget_external_count(properties.id());
  for (int i = 0; i < count && bytes > 0; ++i) {
    std::array<char, 4096> name{};
    off_t offset = 0;
    hsize_t size = 0;
    check(H5Pget_external(properties.id(), static_cast<unsigned>(i), name.size() - 1, name.data(), &offset, &size),
          "H5Pget_external");
    const auto mine = std::min<std::uint64_t>(bytes, size);  // H5F_UNLIMITED is the largest number
    const auto path = place_of(name.data(), home);
    std::error_code ignored;
    const auto place = std::filesystem::absolute(path, ignored).lexically_normal().string();
    if (const auto why = trouble(path, static_cast<std::uint64_t>(offset) + mine); !why.empty()) {
      files.lost = fmt::format(
          "its values lie in the raw file '{}', looked for as {}: {}; put it there, start in the folder that it is "
          "relative to, or name that in HDF5_EXTFILE_PREFIX",
          name.data(), place, why);
      return files;
    }
    if (std::find(files.places.begin(), files.places.end(), place) == files.places.end()) files.places.push_back(place);
    bytes -= mine;
  }
  return files;
}

}  // namespace headrace::h5
