#include "ipc/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::ipc {

namespace {
constexpr std::uint64_t page_bytes = 4096;
constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
}  // namespace

Fd make_memfd(const std::string& name, std::uint64_t bytes) {
  Fd fd(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) throw_errno("memfd_create");
  if (ftruncate(fd.get(), narrow<off_t>(bytes)) != 0) throw_errno("sizing a memfd to " + format_bytes(bytes));
  return fd;
}

std::uint64_t size_of_file(const Fd& fd) {
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) throw_errno("fstat");
  return narrow<std::uint64_t>(info.st_size);
}

void seal(const Fd& fd) {
  if (fcntl(fd.get(), F_ADD_SEALS, all_seals) != 0) throw_errno("sealing a memfd");
}

void seal_against_writers(const Fd& fd) {
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0)
    throw_errno("sealing shared memory against other writers, as replicas need it (Linux 5.1 or newer)");
  seal(fd);
}

void require_sealed(const Fd& fd) {
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  require(seals >= 0 && (seals & all_seals) == all_seals,
          "the shared memory received is not a sealed memfd (its sender is no Headrace service of this version); "
          "connect to another service");
}

namespace {

Fd open_again(const Fd& memfd, int mode) {
  return Fd(open(("/proc/self/fd/" + std::to_string(memfd.get())).c_str(), mode | O_CLOEXEC));
}

}  // namespace

Fd open_for_peer(const Fd& memfd) {
  auto again = open_again(memfd, O_RDWR);
  return again ? std::move(again) : memfd.duplicate();
}

Fd open_for_reader(const Fd& memfd) {
  auto again = open_again(memfd, O_RDONLY);
  return again ? std::move(again) : memfd.duplicate();
}

std::optional<bool> held_by_others(const Fd& memfd) {
  // The kernel grants a read lease only while nobody has the file open for writing by way of its name. That counts what
  // open_for_peer() opened and all that hangs on it, and not the descriptor that memfd_create() made, nor its maps.
  const auto reader = open_again(memfd, O_RDONLY);
  if (!reader) return std::nullopt;
  if (fcntl(reader.get(), F_SETLEASE, F_RDLCK) == 0) return false;  // given back by closing
  return errno == EAGAIN ? std::optional(true) : std::nullopt;
}

Fd make_memfd_of(const std::string& name, std::string_view text) {
  auto fd = make_memfd(name, text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto written = pwrite(fd.get(), text.data() + at, text.size() - at, narrow<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno("writing a memfd");
    at += static_cast<std::size_t>(written);
  }
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE) != 0) throw_errno("sealing a memfd");
  seal(fd);
  return fd;
}

std::string text_of_memfd(const Fd& fd) {
  require_sealed(fd);
  std::string text(size_of_file(fd), '\0');
  for (std::size_t at = 0; at < text.size();) {
    const auto got = pread(fd.get(), text.data() + at, text.size() - at, narrow<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("reading a memfd");
    require(got > 0, "a memfd is shorter than it said");
    at += static_cast<std::size_t>(got);
  }
  return text;
}

namespace {

/// An address such that huge pages of the file can be mapped as such: it lies within one as its offset does. Null where
/// that makes no difference, or where there is no room to choose. What is there is replaced by MAP_FIXED.
void* space_for(std::uint64_t bytes, std::uint64_t offset) {
  if (bytes < huge_page) return nullptr;
  const auto length = round_up(bytes, page_bytes);
  const auto wide = length + huge_page;
  void* space = mmap(nullptr, wide, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(space);
  auto* const at = begin + (offset - reinterpret_cast<std::uintptr_t>(begin)) % huge_page;
  if (at > begin) munmap(begin, static_cast<std::size_t>(at - begin));
  munmap(at + length, static_cast<std::size_t>(begin + wide - (at + length)));
  return at;
}

}  // namespace

Mapping Mapping::map(const Fd& fd, std::uint64_t bytes, std::uint64_t offset, bool writable) {
  EXPECTS(bytes > 0 && offset % page_bytes == 0);
  void* const space = space_for(bytes, offset);
  void* address = mmap(space, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                       space == nullptr ? MAP_SHARED : MAP_SHARED | MAP_FIXED, fd.get(), narrow<off_t>(offset));
  if (address == MAP_FAILED) throw_errno("mapping " + format_bytes(bytes) + " of shared memory");
  return adopt({static_cast<std::byte*>(address), bytes});
}

Mapping Mapping::own(std::uint64_t bytes) {
  EXPECTS(bytes > 0);
  void* const space = space_for(bytes, 0);
  constexpr int kind = MAP_PRIVATE | MAP_ANONYMOUS;
  void* address = mmap(space, bytes, PROT_READ | PROT_WRITE, space == nullptr ? kind : kind | MAP_FIXED, -1, 0);
  if (address == MAP_FAILED)
    throw Error(errno_text("cannot take " + format_bytes(bytes) + " of memory", errno) +
                "; use less (--memory), or raise ulimit -v and -d");
  return adopt({static_cast<std::byte*>(address), bytes});
}

Mapping Mapping::adopt(std::span<std::byte> memory) noexcept {
  Mapping mapping;
  mapping.data_ = memory.data();
  mapping.size_ = memory.size();
  return mapping;
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    unmap();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Mapping::dont_fork() {
  if (madvise(data_, size_, MADV_DONTFORK) != 0) throw_errno("madvise(MADV_DONTFORK)");
}

void Mapping::keep_only(std::span<const Part> parts, const std::function<void()>& before_the_rest_goes) {
  std::vector<Mapping> copies;  // all before anything changes
  for (const auto& part : parts) {
    EXPECTS(part.offset % page_bytes == 0 && part.bytes % page_bytes == 0 && part.offset + part.bytes <= size_);
    void* copy = mmap(nullptr, part.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) throw_errno("copying " + format_bytes(part.bytes) + " out of shared memory");
    std::memcpy(copy, data_ + part.offset, part.bytes);
    auto& kept = copies.emplace_back();
    kept.data_ = static_cast<std::byte*>(copy);
    kept.size_ = part.bytes;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // One system call replaces the pages: a reader sees the old or the new ones, which are equal.
    if (mremap(copies[i].data_, copies[i].size_, copies[i].size_, MREMAP_MAYMOVE | MREMAP_FIXED,
               data_ + parts[i].offset) != MAP_FAILED)
      copies[i].leave();
  }
  if (before_the_rest_goes) before_the_rest_goes();
  std::uint64_t done = 0;
  for (const auto& part : parts) {
    if (part.offset > done) munmap(data_ + done, part.offset - done);
    done = part.offset + part.bytes;
  }
  if (done < size_) munmap(data_ + done, size_ - done);
  leave();
}

void Mapping::unmap() noexcept {
  if (data_ != nullptr) munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace headrace::ipc
