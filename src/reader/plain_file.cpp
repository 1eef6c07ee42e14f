#include "reader/plain_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/user_file.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t advice_bytes = 128u << 10;  // Linux cuts what is asked of it at its read-ahead, this by default

}  // namespace

PlainFile::PlainFile(const std::string& path, ReadingHints hints) : hints_(hints) {
  std::string why;
  fd_ = open_file_of_user(path, why);
  if (fd_ < 0) throw Error(why);
  // Else it reads ahead beyond the end of each part, of what another part, or another stager, is to bring.
  if (hints_.scattered) ::posix_fadvise(fd_, 0, 0, POSIX_FADV_RANDOM);  // advice, as all of these
}

PlainFile::~PlainFile() {
  ::close(fd_);
}

void PlainFile::will_read(std::uint64_t offset, std::uint64_t bytes) const {
  for (const auto end = offset + bytes; offset < end; offset += advice_bytes)
    ::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(std::min(advice_bytes, end - offset)),
                    POSIX_FADV_WILLNEED);  // advice: whatever becomes of it
}

void PlainFile::forget() const {
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);  // likewise
}

void PlainFile::read(std::uint64_t offset, std::uint64_t bytes, std::byte* to) const {
  const auto begin = offset, all = bytes;
  while (bytes > 0) {
    const auto got = ::pread(fd_, to, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(errno_text("pread", errno));
    if (got == 0) throw Error(fmt::format("the file ends at byte {}; it has changed since it was examined", offset));
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::uint64_t>(got);
    to += got;
  }
  if (hints_.pass_by) ::posix_fadvise(fd_, static_cast<off_t>(begin), static_cast<off_t>(all), POSIX_FADV_DONTNEED);
}

}  // namespace headrace::reader
