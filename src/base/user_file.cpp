#include "base/user_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace headrace {

namespace {

std::string type_of(mode_t mode) {
  if (S_ISREG(mode)) return "";
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

std::string words_of(int error) {
  if (error == ENOENT) return "no such file";
  if (error == EACCES || error == EPERM) return "no permission to read it";
  return std::strerror(error);
}

std::string refusal(const std::string& type) {
  return "it is " + type + (type == "a directory" ? "" : ", no file");
}

}  // namespace

std::string instead_of_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? type_of(status.st_mode) : "";
}

int open_file_of_user(const std::string& path, std::string& why) {
  if (const auto type = instead_of_file(path); !type.empty()) {
    why = refusal(type);
    return -1;
  }
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  // A file of which another client holds a lease is given up by it in a while.
  if (fd < 0 && errno == EWOULDBLOCK) fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    why = words_of(errno);
    return -1;
  }
  struct stat status {};
  if (const bool known = ::fstat(fd, &status) == 0; known && S_ISREG(status.st_mode)) return fd;
  why = refusal(type_of(status.st_mode));  // put there since we looked
  ::close(fd);
  return -1;
}

std::optional<std::string> read_file_of_user(const std::string& path, std::string& why) {
  const int fd = open_file_of_user(path, why);
  if (fd < 0) return std::nullopt;
  std::string text;
  std::array<char, 1 << 16> some{};
  ssize_t got = 0;
  while ((got = ::read(fd, some.data(), some.size())) > 0 || (got < 0 && errno == EINTR))
    if (got > 0) text.append(some.data(), static_cast<std::size_t>(got));
  if (got < 0) why = words_of(errno);
  ::close(fd);
  return got < 0 ? std::nullopt : std::optional(std::move(text));
}

}  // namespace headrace
