#include "ipc/reserve.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"
#include "ipc/memory.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14; older headers lack it
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1
#endif

namespace headrace::ipc {

namespace {

constexpr std::uint64_t page = 4096;

std::uintptr_t address(const std::byte* at) {
  return reinterpret_cast<std::uintptr_t>(at);
}

/// The error number; 0 when done.
int allocate(const Fd& fd, std::uint64_t offset, std::uint64_t bytes) {
  int error = 0;
  do {
    error = posix_fallocate(fd.get(), narrow<off_t>(offset), narrow<off_t>(bytes));
  } while (error == EINTR);
  return error;
}

/// Each huge page that lies within; stops where the kernel has none. Whoever comes after takes what is missing.
void take_huge_pages(const Fd& fd, std::uint64_t offset, std::span<std::byte> memory) {
  if ((address(memory.data()) - offset) % huge_page != 0) return;
  for (std::uint64_t at = -offset % huge_page; at + huge_page <= memory.size(); at += huge_page) {
    // The kernel makes huge pages only of those that have a small one already, and a cgroup's limit is no OOM here.
    if (allocate(fd, offset + at, page) != 0) return;
    if (madvise(memory.data() + at, huge_page, MADV_COLLAPSE) != 0 && errno != EAGAIN && errno != EINTR) return;
  }
}

/// A write of what is there: faults the page in for writing and changes nothing.
void touch(std::span<std::byte> memory) {
  for (std::uint64_t at = 0; at < memory.size(); at += page) {
    auto* byte = reinterpret_cast<unsigned char*>(memory.data() + at);
    __atomic_fetch_or(byte, 0, __ATOMIC_RELAXED);  // relaxed: nobody else uses the memory yet; only the fault counts
  }
}

void populate(std::span<std::byte> memory) {
  while (madvise(memory.data(), memory.size(), MADV_POPULATE_WRITE) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    touch(memory);  // kernels before 5.14
    return;
  }
}

/// The memory in as many parts as there are threads, cut between huge pages of the file.
template <class Work>
void in_parts(std::uint64_t offset, std::span<std::byte> memory, unsigned threads, const Work& work) {
  const std::uint64_t count = std::max(1u, threads);
  std::vector<std::jthread> others;
  std::uint64_t begin = 0;
  for (std::uint64_t i = 1; i <= count && begin < memory.size(); ++i) {
    const auto end = i == count ? memory.size() : round_up(offset + memory.size() / count * i, huge_page) - offset;
    const auto part = memory.subspan(begin, std::min<std::uint64_t>(end, memory.size()) - begin);
    if (end < memory.size())
      others.emplace_back([&work, part, at = offset + begin] { work(at, part); });
    else
      work(offset + begin, part);
    begin = end;
  }
}

}  // namespace

void reserve(const Fd& fd, std::uint64_t offset, std::span<std::byte> memory, unsigned threads) {
  EXPECTS(offset % page == 0 && address(memory.data()) % page == 0);
  if (memory.empty()) return;
  // For the kernel's own collector of pages, where MADV_COLLAPSE is missing. A refusal costs nothing.
  madvise(memory.data(), memory.size(), MADV_HUGEPAGE);
  in_parts(offset, memory, threads, [&](auto at, auto part) { take_huge_pages(fd, at, part); });
  const int error = allocate(fd, offset, memory.size());
  require(error == 0, "cannot reserve " + format_bytes(memory.size()) + " of shared memory (" +
                          std::strerror(error) + "); use fewer or smaller samples, or more nodes");
  in_parts(offset, memory, threads, [](auto, auto part) { populate(part); });
}

void reserve_own(std::span<std::byte> memory, unsigned threads) {
  EXPECTS(address(memory.data()) % page == 0);
  madvise(memory.data(), memory.size(), MADV_HUGEPAGE);
  in_parts(0, memory, threads, [](auto, auto part) { populate(part); });
}

}  // namespace headrace::ipc
