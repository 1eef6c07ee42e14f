// What the system is told of files that are read in parts.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "reader/plain_file.hpp"
#include "skip.hpp"

using namespace headrace::reader;

namespace {

constexpr std::uint64_t MiB = 1u << 20;

/// A file of 32 MiB, none of which is in the system's memory where it can be told so.
class ColdFile {
 public:
  ColdFile() {
    fd_ = ::mkstemp(path.data());
    BOOST_REQUIRE(fd_ >= 0);
    const std::vector<char> some(MiB, 'x');
    for (int i = 0; i < 32; ++i) BOOST_REQUIRE(::write(fd_, some.data(), some.size()) == static_cast<ssize_t>(MiB));
    ::fsync(fd_);
    ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
  }
  ~ColdFile() {
    ::close(fd_);
    ::unlink(path.c_str());
  }
  ColdFile(const ColdFile&) = delete;
  ColdFile& operator=(const ColdFile&) = delete;

  /// Pages in memory, of [first, last).
  std::uint64_t resident(std::uint64_t first, std::uint64_t last) const {
    auto* mapped = ::mmap(nullptr, 32 * MiB, PROT_READ, MAP_SHARED, fd_, 0);
    BOOST_REQUIRE(mapped != MAP_FAILED);
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> there((last - first) / page);
    const auto done = ::mincore(static_cast<char*>(mapped) + first, last - first, there.data());
    ::munmap(mapped, 32 * MiB);
    BOOST_REQUIRE(done == 0);
    std::uint64_t count = 0;
    for (const auto one : there) count += one & 1;
    return count;
  }

  std::string path = std::filesystem::temp_directory_path() / "headrace-test-XXXXXX";

 private:
  int fd_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(plain_file)

BOOST_AUTO_TEST_CASE(of_parts_that_lie_apart_nothing_is_read_beyond) {
  const ColdFile cold;
  if (cold.resident(0, 32 * MiB) > 0)
    return told_as_skipped("the file system of " + cold.path + " keeps a file in memory that it was told to forget");
  const PlainFile file(cold.path, {.scattered = true});
  std::vector<std::byte> some(MiB / 16);
  // One after another, as whoever goes through all of it would read.
  for (std::uint64_t at = 4 * MiB; at < 6 * MiB; at += some.size()) file.read(at, some.size(), some.data());
  file.will_read(16 * MiB, MiB);
  file.read(16 * MiB, some.size(), some.data());
  BOOST_TEST(cold.resident(4 * MiB, 6 * MiB) > 0u);
  BOOST_TEST(cold.resident(0, 4 * MiB) + cold.resident(6 * MiB, 16 * MiB) + cold.resident(17 * MiB, 32 * MiB) == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_passed_by_does_not_stay) {
  const ColdFile cold;
  if (cold.resident(0, 32 * MiB) > 0)
    return told_as_skipped("the file system of " + cold.path + " keeps a file in memory that it was told to forget");
  const PlainFile file(cold.path, {.pass_by = true, .scattered = true});
  std::vector<std::byte> some(2 * MiB);
  file.read(4 * MiB, some.size(), some.data());
  BOOST_TEST((some == std::vector<std::byte>(some.size(), std::byte{'x'})));
  BOOST_TEST(cold.resident(0, 32 * MiB) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
