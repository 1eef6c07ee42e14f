#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "base/error.hpp"
#include "ipc/child.hpp"
#include "ipc/memory.hpp"
#include "ipc/socket.hpp"
#include "texts.hpp"

using namespace headrace;

namespace {

constexpr std::uint64_t page = 4096;

bool mapped(const std::byte* at) {
  unsigned char resident = 0;
  return mincore(const_cast<std::byte*>(at), page, &resident) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(a_descriptor_is_closed_once_and_moves) {
  ipc::Fd fd = ipc::make_memfd("test", 1);
  const int number = fd.get();
  const ipc::Fd copy = fd.duplicate();
  ipc::Fd moved = std::move(fd);
  BOOST_TEST(!fd);
  BOOST_TEST(moved.get() == number);
  moved = ipc::Fd();
  BOOST_TEST(fcntl(number, F_GETFD) == -1);
  BOOST_TEST((fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
  BOOST_CHECK_THROW(moved.duplicate(), Error);
}

BOOST_AUTO_TEST_CASE(text_in_a_memfd_stays_as_it_is) {
  std::string text(3 * page + 5, 'x');
  text[7] = '\0', text.back() = 'y';
  const auto fd = ipc::make_memfd_of("test", text);
  BOOST_TEST((ipc::text_of_memfd(fd) == text));
  BOOST_TEST((ipc::text_of_memfd(fd.duplicate()) == text));  // no reader moves another's place
  BOOST_TEST(pwrite(fd.get(), "z", 1, 0) == -1);
  BOOST_TEST(ftruncate(fd.get(), 0) == -1);
  BOOST_TEST(ipc::text_of_memfd(ipc::make_memfd_of("test", "")).empty());
  BOOST_CHECK_THROW(ipc::text_of_memfd(ipc::make_memfd("open", 4)), Error);
}

BOOST_AUTO_TEST_CASE(whoever_can_still_write_to_given_memory_is_seen) {
  const auto memfd = ipc::make_memfd("test", 3 * page);
  const auto mine = ipc::Mapping::map(memfd, 3 * page);
  ipc::seal(memfd);
  const auto held = [&] {
    const auto answer = ipc::held_by_others(memfd);
    BOOST_TEST_REQUIRE(answer.has_value());  // the kernels that tests run on can tell
    return *answer;
  };
  BOOST_TEST(!held());  // what we have ourselves does not count
  auto given = ipc::open_for_peer(memfd);
  BOOST_TEST(held());
  ipc::require_sealed(given);
  auto map = ipc::Mapping::map(given, 3 * page);
  map.data()[page] = std::byte{7};
  BOOST_TEST((mine.data()[page] == std::byte{7}));
  given.close();
  BOOST_TEST(held());  // a map alone
  {
    Child child([] {
      pause();
      return 0;
    });
    map.unmap();
    BOOST_TEST(held());  // a forked child's copy of the map
    child.kill();
    child.wait();
    while (held()) std::this_thread::yield();
  }
  {
    std::array<int, 2> ends{};
    BOOST_REQUIRE_EQUAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    const ipc::Connection to{ipc::Fd(ends[0])};
    const ipc::Connection from{ipc::Fd(ends[1])};
    const std::array fds{ipc::open_for_peer(memfd).release()};
    to.send("take it", fds);
    ::close(fds[0]);
    BOOST_TEST(held());  // under way to somebody
    auto message = from.receive().message;
    BOOST_TEST(held());
    const auto passed_on = message.fds.at(0).duplicate();
    message.fds.clear();
    BOOST_TEST(held());
  }
  BOOST_TEST(!held());
}

BOOST_AUTO_TEST_CASE(sealed_memory_keeps_its_size) {
  const auto fd = ipc::make_memfd("test", 3 * page);
  BOOST_TEST(ipc::size_of_file(fd) == 3 * page);
  BOOST_CHECK_THROW(ipc::require_sealed(fd), Error);
  ipc::seal(fd);
  ipc::require_sealed(fd);
  BOOST_TEST(ftruncate(fd.get(), 0) == -1);
  BOOST_TEST(ftruncate(fd.get(), 4 * page) == -1);
  BOOST_CHECK_EXCEPTION(ipc::seal(fd), Error, says("sealing"));
}

BOOST_AUTO_TEST_CASE(mappings_lie_in_huge_pages_as_the_file_does) {
  const std::uint64_t huge = ipc::huge_page;
  const auto fd = ipc::make_memfd("test", 4 * huge);
  for (const std::uint64_t offset : {std::uint64_t{0}, page, huge - page, huge, huge + 7 * page})
    for (const std::uint64_t bytes : {huge, huge + 1, 2 * huge + 3 * page}) {
      const auto mapping = ipc::Mapping::map(fd, bytes, offset);
      BOOST_TEST((reinterpret_cast<std::uintptr_t>(mapping.data()) - offset) % huge == 0u);
      BOOST_TEST(!mapped(mapping.data() - page));  // what was taken to choose from is given back
      BOOST_TEST(!mapped(mapping.data() + (bytes + page - 1) / page * page));
      mapping.data()[bytes - 1] = std::byte{1};
    }
}

BOOST_AUTO_TEST_CASE(two_mappings_show_the_same_bytes) {
  const auto fd = ipc::make_memfd("test", 2 * page);
  auto both = ipc::Mapping::map(fd, 2 * page);
  const auto second = ipc::Mapping::map(fd, page, page, false);
  both.data()[page + 7] = std::byte{9};
  BOOST_TEST((second.data()[7] == std::byte{9}));
  const auto* where = both.data();
  both = ipc::Mapping();
  BOOST_TEST(!mapped(where));
}

BOOST_AUTO_TEST_CASE(a_forked_child_has_no_such_mapping) {
  const auto fd = ipc::make_memfd("test", page);
  auto mapping = ipc::Mapping::map(fd, page);
  BOOST_TEST(Child([&] { return mapped(mapping.data()) ? 1 : 0; }).wait() == 1);
  mapping.dont_fork();
  BOOST_TEST(Child([&] { return mapped(mapping.data()) ? 1 : 0; }).wait() == 0);
}

BOOST_AUTO_TEST_CASE(kept_parts_stay_in_place_as_private_copies) {
  const auto fd = ipc::make_memfd("test", 8 * page);
  const auto other = ipc::Mapping::map(fd, 8 * page);
  auto mapping = ipc::Mapping::map(fd, 8 * page);
  std::byte* base = mapping.data();
  for (std::size_t i = 0; i < 8; ++i) base[i * page] = static_cast<std::byte>(i + 1);
  const std::vector<ipc::Mapping::Part> parts{{page, page}, {4 * page, 2 * page}};
  mapping.keep_only(parts);
  BOOST_TEST(mapping.data() == nullptr);
  std::ranges::fill(other.span(), std::byte{99});  // the next owner of the memory
  for (const std::size_t kept : {1, 4, 5}) BOOST_TEST((base[kept * page] == static_cast<std::byte>(kept + 1)));
  for (const std::size_t gone : {0, 2, 3, 6, 7}) BOOST_TEST(!mapped(base + gone * page));
  base[page] = std::byte{7};
  BOOST_TEST((other.data()[page] == std::byte{99}));
  for (const auto& part : parts) munmap(base + part.offset, part.bytes);
}

BOOST_AUTO_TEST_SUITE_END()
