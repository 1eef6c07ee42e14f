#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ipc/memory.hpp"
#include "ipc/reserve.hpp"
#include "skip.hpp"

using namespace headrace;

namespace {

constexpr std::uint64_t small_page = 4096;
constexpr std::uint64_t huge = ipc::huge_page;

std::size_t resident_pages(std::span<std::byte> memory) {
  std::vector<unsigned char> pages((memory.size() + small_page - 1) / small_page);
  BOOST_REQUIRE_EQUAL(mincore(memory.data(), memory.size(), pages.data()), 0);
  return static_cast<std::size_t>(std::ranges::count_if(pages, [](unsigned char p) { return p & 1; }));
}

/// Bytes of this memory that huge pages map.
std::uint64_t in_huge_pages(std::span<const std::byte> memory) {
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  std::uint64_t sum = 0;
  for (bool within = false; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    if (char dash = 0; (std::istringstream(line) >> std::hex >> begin >> dash) && dash == '-')
      within = begin - reinterpret_cast<std::uintptr_t>(memory.data()) < memory.size();
    else if (within && (line.starts_with("ShmemPmdMapped:") || line.starts_with("AnonHugePages:")))
      sum += std::stoull(line.substr(line.find(':') + 1)) * 1024;
  }
  return sum;
}

/// Linux 6.1 with transparent huge pages has them for memfds.
bool kernel_has_huge_pages() {
  const auto fd = ipc::make_memfd("test", huge);
  const auto mapping = ipc::Mapping::map(fd, huge);
  mapping.data()[0] = std::byte{1};
  return madvise(mapping.data(), huge, 25 /* MADV_COLLAPSE */) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reserve)

BOOST_AUTO_TEST_CASE(what_cannot_be_reserved_is_said_with_its_size) {
  int ends[2];
  BOOST_REQUIRE_EQUAL(pipe2(ends, O_CLOEXEC), 0);
  const ipc::Fd read(ends[0]), write(ends[1]);
  const auto fd = ipc::make_memfd("test", 69'000);
  const auto mapping = ipc::Mapping::map(fd, 69'000);
  BOOST_CHECK_EXCEPTION(ipc::reserve(write, 0, mapping.span(), 1), Error,
                        [](const Error& e) { return std::string(e.what()).find("69.0 KB") != std::string::npos; });
}

BOOST_AUTO_TEST_CASE(all_is_there_and_nothing_changed) {
  for (const std::uint64_t offset : {std::uint64_t{0}, 3 * small_page, huge - small_page, 2 * huge})
    for (const std::uint64_t bytes : {small_page, 33 * small_page, huge, huge + small_page, 5 * huge - small_page, 3 * huge + 7})
      for (const unsigned threads : {0u, 1u, 3u, 64u}) {
        const auto fd = ipc::make_memfd("test", 8 * huge);
        const auto mapping = ipc::Mapping::map(fd, 8 * huge);
        const auto memory = mapping.span().subspan(offset, bytes);
        const auto middle = bytes / 2;
        memory[middle] = std::byte{42};
        ipc::reserve(fd, offset, memory, threads);
        BOOST_TEST(resident_pages(memory) == (bytes + small_page - 1) / small_page);
        BOOST_TEST((memory[middle] == std::byte{42}));
        BOOST_TEST(std::ranges::count(memory, std::byte{0}) == std::int64_t(bytes) - 1);
        // Nothing beyond it was taken, but for the rest of its last page.
        BOOST_TEST(resident_pages(mapping.span()) == (bytes + small_page - 1) / small_page);
      }
  ipc::reserve(ipc::make_memfd("test", 1), 0, {}, 4);
}

BOOST_AUTO_TEST_CASE(memory_that_nobody_shares_is_there_too) {
  for (const std::uint64_t bytes : {std::uint64_t{1}, 33 * small_page, huge, 5 * huge - small_page, 3 * huge + 7})
    for (const unsigned threads : {0u, 1u, 3u, 64u}) {
      const auto mapping = ipc::Mapping::own(bytes);
      BOOST_TEST(resident_pages(mapping.span()) == 0u);
      mapping.span()[bytes / 2] = std::byte{42};
      ipc::reserve_own(mapping.span(), threads);
      BOOST_TEST(resident_pages(mapping.span()) == (bytes + small_page - 1) / small_page);
      BOOST_TEST((mapping.span()[bytes / 2] == std::byte{42}));
      BOOST_TEST(std::ranges::count(mapping.span(), std::byte{0}) == std::int64_t(bytes) - 1);
    }
  ipc::reserve_own({}, 4);
}

BOOST_AUTO_TEST_CASE(each_piece_is_told_once_and_before_it_is_taken) {
  for (const std::uint64_t offset : {std::uint64_t{0}, 3 * small_page, huge - small_page})
    for (const std::uint64_t bytes : {small_page, huge, 5 * huge - small_page, 3 * huge + 7, 40 * huge + small_page})
      for (const unsigned threads : {1u, 3u}) {
        const auto fd = ipc::make_memfd("test", 44 * huge);
        const auto mapping = ipc::Mapping::map(fd, 44 * huge);
        const auto own = ipc::Mapping::own(bytes);
        std::atomic<std::uint64_t> told = 0, largest = 0;
        std::atomic<bool> late = false;
        const auto tell = [&](std::uint64_t piece) {
          told += piece;
          largest = std::max<std::uint64_t>(largest, piece);
          late = late || (threads == 1 && resident_pages(mapping.span()) > (told - piece) / small_page);
        };
        ipc::reserve(fd, offset, mapping.span().subspan(offset, bytes), threads, tell);
        BOOST_TEST(told == bytes);
        BOOST_TEST(!late);
        told = 0;
        ipc::reserve_own(own.span(), threads, tell);
        BOOST_TEST(told == bytes);
        BOOST_TEST(largest <= 32u << 20);
      }
}

BOOST_AUTO_TEST_CASE(who_is_told_can_end_it) {
  constexpr std::uint64_t all = 64 * huge, enough = 8 * huge;
  for (const unsigned threads : {1u, 4u}) {
    const auto fd = ipc::make_memfd("test", all);
    const auto mapping = ipc::Mapping::map(fd, all), own = ipc::Mapping::own(all);
    std::atomic<std::uint64_t> told = 0;
    const auto tell = [&](std::uint64_t piece) { require((told += piece) <= enough, "no more"); };
    const auto no_more = [](const Error& e) { return e.what() == std::string("no more"); };
    BOOST_CHECK_EXCEPTION(ipc::reserve(fd, 0, mapping.span(), threads, tell), Error, no_more);
    BOOST_TEST(resident_pages(mapping.span()) * small_page <= enough);
    told = 0;
    BOOST_CHECK_EXCEPTION(ipc::reserve_own(own.span(), threads, tell), Error, no_more);
    BOOST_TEST(resident_pages(own.span()) * small_page <= enough);
  }
}

BOOST_AUTO_TEST_CASE(memory_that_nobody_shares_is_in_huge_pages) {
  std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  if (!std::getline(setting, modes) || modes.find("[never]") != std::string::npos)
    return told_as_skipped("this kernel has no transparent huge pages, or they are switched off");
  std::uint64_t found = 0;
  for (int tries = 0; tries < 3; ++tries) {  // where memory is in pieces, one has small pages now and then
    const auto mapping = ipc::Mapping::own(3 * huge + 7);
    ipc::reserve_own(mapping.span(), 2);
    found = std::max(found, in_huge_pages(mapping.span()));
  }
  BOOST_TEST(found >= huge);
}

BOOST_AUTO_TEST_CASE(whole_huge_pages_are_such) {
  if (!kernel_has_huge_pages())
    return told_as_skipped("this kernel makes no huge pages of memfds (before Linux 6.1, or switched off)");
  std::uint64_t most = 0;
  for (int tries = 0; tries < 10 && most < 5 * huge; ++tries) {  // where memory is in pieces, some are small now and then
    const auto fd = ipc::make_memfd("test", 8 * huge);
    const auto mapping = ipc::Mapping::map(fd, 8 * huge);
    ipc::reserve(fd, small_page, mapping.span().subspan(small_page, 6 * huge), 3);  // five whole ones lie within
    BOOST_TEST(in_huge_pages(mapping.span()) <= 5 * huge);
    most = std::max(most, in_huge_pages(mapping.span()));
  }
  if (most < 5 * huge && !kernel_has_huge_pages()) return told_as_skipped("memory is in pieces now: no huge pages");
  BOOST_TEST(most >= 3 * huge);
}

BOOST_AUTO_TEST_SUITE_END()
