#include "ipc/reserve.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/mutex.hpp"
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
constexpr std::uint64_t piece = 16 * huge_page;  // taken at a time: some 10 ms

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

/// A part of the file.
struct Range {
  std::uint64_t begin = 0, end = 0;
};

std::uint64_t common_bytes(const Range& a, const Range& b) {
  const auto begin = std::max(a.begin, b.begin), end = std::min(a.end, b.end);
  return end > begin ? end - begin : 0;
}

/// Each huge page that lies within; stops where the kernel has none. Whoever comes after takes what is missing. Returns
/// what was told.
Range take_huge_pages(const Fd& fd, std::uint64_t offset, std::span<std::byte> memory, const BeforeTaking& tell) {
  if ((address(memory.data()) - offset) % huge_page != 0) return {};
  const auto first = -offset % huge_page;
  Range told{offset + first, offset + first};
  for (auto at = first; at + huge_page <= memory.size(); at += huge_page) {
    if (tell) tell(huge_page);
    told.end += huge_page;
    // The kernel makes huge pages only of those that have a small one already, and a cgroup's limit is no OOM here.
    if (allocate(fd, offset + at, page) != 0) break;
    if (madvise(memory.data() + at, huge_page, MADV_COLLAPSE) != 0 && errno != EAGAIN && errno != EINTR) break;
  }
  return told;
}

/// What is not there yet. told: what was told already.
void take_the_rest(const Fd& fd, std::uint64_t offset, std::uint64_t bytes, std::span<const Range> told,
                   const BeforeTaking& tell) {
  for (std::uint64_t at = 0; at < bytes; at += piece) {
    const Range these{offset + at, offset + std::min(bytes, at + piece)};
    auto untold = these.end - these.begin;
    for (const auto& range : told) untold -= common_bytes(these, range);
    if (tell && untold > 0) tell(untold);
    const int error = allocate(fd, these.begin, these.end - these.begin);
    require(error == 0, "cannot reserve " + format_bytes(bytes) + " of shared memory (" + std::strerror(error) +
                            "); use fewer or smaller samples, or more nodes");
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

/// The memory in as many parts as there are threads, cut between huge pages of the file; work(number, offset, part).
/// What the first of them throws comes out when all are through.
template <class Work>
void in_parts(std::uint64_t offset, std::span<std::byte> memory, unsigned threads, const Work& work) {
  Mutex mutex;
  std::exception_ptr failed;
  const auto run = [&](std::uint64_t number, std::uint64_t at, std::span<std::byte> part) {
    try {
      work(number, at, part);
    } catch (...) {
      const Lock lock(mutex);
      if (!failed) failed = std::current_exception();
    }
  };
  {
    const std::uint64_t count = std::max(1u, threads);
    std::vector<std::jthread> others;
    std::uint64_t begin = 0;
    for (std::uint64_t i = 1; i <= count && begin < memory.size(); ++i) {
      const auto end = i == count ? memory.size() : round_up(offset + memory.size() / count * i, huge_page) - offset;
      const auto part = memory.subspan(begin, std::min<std::uint64_t>(end, memory.size()) - begin);
      if (end < memory.size())
        others.emplace_back([&run, part, i, at = offset + begin] { run(i - 1, at, part); });
      else
        run(i - 1, offset + begin, part);
      begin = end;
    }
  }
  if (failed) std::rethrow_exception(failed);
}

}  // namespace

void reserve(const Fd& fd, std::uint64_t offset, std::span<std::byte> memory, unsigned threads,
             const BeforeTaking& tell) {
  EXPECTS(offset % page == 0 && address(memory.data()) % page == 0);
  if (memory.empty()) return;
  // For the kernel's own collector of pages, where MADV_COLLAPSE is missing. A refusal costs nothing.
  madvise(memory.data(), memory.size(), MADV_HUGEPAGE);
  std::vector<Range> told(std::max(1u, threads));
  in_parts(offset, memory, threads,
           [&](auto number, auto at, auto part) { told[number] = take_huge_pages(fd, at, part, tell); });
  take_the_rest(fd, offset, memory.size(), told, tell);
  in_parts(offset, memory, threads, [](auto, auto, auto part) { populate(part); });
}

void reserve_own(std::span<std::byte> memory, unsigned threads, const BeforeTaking& tell) {
  EXPECTS(address(memory.data()) % page == 0);
  madvise(memory.data(), memory.size(), MADV_HUGEPAGE);
  in_parts(0, memory, threads, [&](auto, auto, std::span<std::byte> part) {
    for (std::uint64_t at = 0; at < part.size(); at += piece) {
      const auto these = part.subspan(at, std::min<std::uint64_t>(piece, part.size() - at));
      if (tell) tell(these.size());
      populate(these);
    }
  });
}

}  // namespace headrace::ipc
