#include "store/scratch_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"
#include "ipc/memory.hpp"
#include "store/file_system.hpp"

namespace headrace::store {

namespace {

constexpr int owner_only = 0600;

std::string reason(int error) {
  return std::strerror(error);
}

/// A file with a name for an instant, where the file system knows none without (NFS, overlays of old kernels).
ipc::Fd open_named(const std::string& folder, int flags) {
  auto path = folder + "/.headrace-scratch-XXXXXX";
  ipc::Fd fd(mkostemp(path.data(), flags | O_CLOEXEC));
  const int error = errno;
  if (fd) unlink(path.c_str());
  errno = error;
  return fd;
}

ipc::Fd open_without_name(const std::string& folder, int flags) {
  ipc::Fd fd(open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC | flags, owner_only));
  if (fd || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd;
  return open_named(folder, flags);
}

int allocate(const ipc::Fd& fd, std::uint64_t bytes) {
  while (fallocate(fd.get(), 0, 0, narrow<off_t>(bytes)) != 0) {
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP) return errno;
    return ftruncate(fd.get(), narrow<off_t>(bytes)) == 0 ? 0 : errno;  // the caller has compared what is free
  }
  return 0;
}

/// Of offsets and lengths; 0 where the file system does not say.
std::uint64_t told_alignment(const ipc::Fd& fd) {
#if defined(STATX_DIOALIGN)
  struct statx info {};
  if (statx(fd.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &info) == 0 && (info.stx_mask & STATX_DIOALIGN) != 0)
    return std::max<std::uint64_t>(info.stx_dio_offset_align, 1);
#endif
  return 0;
}

}  // namespace

AlignedBuffer::AlignedBuffer(std::uint64_t bytes)
    : memory_(static_cast<std::byte*>(
          std::aligned_alloc(ScratchFile::most_alignment, round_up(bytes, ScratchFile::most_alignment)))),
      size_(round_up(bytes, ScratchFile::most_alignment)) {
  if (!memory_) throw std::bad_alloc();
}

ScratchFile ScratchFile::create(const std::string& folder, std::uint64_t bytes) {
  auto fd = open_without_name(folder, O_DIRECT);
  if (!fd && errno == EINVAL) fd = open_without_name(folder, 0);
  if (!fd)
    throw Error(fmt::format("no file can be made there ({}); name a folder of a disk of this node that is yours",
                            reason(errno)));
  const auto file_system = file_system_of(folder);
  const auto too_little = [&](const std::string& why) {
    return Error(
        fmt::format("{} do not fit there ({}; {} are free on this {}); make room, name another folder, or use "
                    "more nodes or memory",
                    format_bytes(bytes), why, format_bytes(file_system.free_bytes), file_system.name));
  };
  if (bytes > file_system.free_bytes) throw too_little("too little room");
  rlimit limit{};  // beyond it a signal would come instead of an error
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur)
    throw Error(
        fmt::format("a file of {} would be larger than this process may write (ulimit -f); raise that, or use "
                    "more stagers",
                    format_bytes(bytes)));
  if (bytes > 0)
    if (const auto error = allocate(fd, bytes); error != 0) throw too_little(reason(error));
  return {std::move(fd), folder};
}

ScratchFile::ScratchFile(ipc::Fd fd, std::string folder)
    : fd_(std::move(fd)), folder_(std::move(folder)), bytes_(ipc::size_of_file(fd_)) {
  const auto flags = fcntl(fd_.get(), F_GETFL);
  direct_ = flags >= 0 && (flags & O_DIRECT) != 0;
  if (!direct_) return;
  alignment_ = told_alignment(fd_);
  if (alignment_ == 0) alignment_ = most_alignment;
  if (alignment_ <= most_alignment) return;
  // Larger blocks than ours: the cache cuts them.
  direct_ = fcntl(fd_.get(), F_SETFL, flags & ~O_DIRECT) != 0;
  alignment_ = 1;
}

void ScratchFile::fail(const char* what, int error) const {
  throw Error(
      fmt::format("cannot {} samples on the disk of scratch = {} ({}); look at the disk and its log, and "
                  "start again on another one",
                  what, folder_, error == 0 ? "the file ends before them" : reason(error)));
}

void ScratchFile::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
  EXPECTS(!direct_ || (offset % alignment_ == 0 && bytes.size() % alignment_ == 0));
  while (!bytes.empty()) {
    const auto done = pwrite(fd_.get(), bytes.data(), bytes.size(), narrow<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail("write", done < 0 ? errno : EIO);
    offset += static_cast<std::uint64_t>(done);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

void ScratchFile::written() const {
  if (direct_) return;
  if (fdatasync(fd_.get()) != 0) fail("write", errno);
  posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_RANDOM);
}

const std::byte* ScratchFile::read(std::uint64_t begin, std::uint64_t end, std::span<std::byte> buffer) const {
  const auto first = begin / alignment_ * alignment_;
  const auto last = round_up(end, alignment_);
  EXPECTS(last - first <= buffer.size());
  for (auto at = first; at < end;) {  // what follows `end` may be beyond the file
    const auto got = pread(fd_.get(), buffer.data() + (at - first), last - at, narrow<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", errno);
    if (got == 0) fail("read", 0);
    at += static_cast<std::uint64_t>(got);
  }
  if (!direct_) posix_fadvise(fd_.get(), narrow<off_t>(first), narrow<off_t>(last - first), POSIX_FADV_DONTNEED);
  return buffer.data() + (begin - first);
}

}  // namespace headrace::store
