// What sockets do where something has an end: descriptors, messages, names that others took.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "ipc/child.hpp"
#include "ipc/descriptors_left.hpp"
#include "ipc/process.hpp"
#include "ipc/socket.hpp"
#include "ipc/socket_call.hpp"
#include "ipc/socket_pair.hpp"
#include "skip.hpp"
#include "texts.hpp"

using namespace headrace;
using namespace std::chrono_literals;
using ipc::Address;
using ipc::Connection;
using ipc::Listener;
using ipc_test::Pair;
using ipc_test::unique;

namespace {

/// With as many descriptors as one likes: Connection::send knows its limit.
void send_raw(const Connection& to, const std::string& text, std::size_t count) {
  std::vector<int> fds(count, STDIN_FILENO);
  std::vector<char> control(CMSG_SPACE(count * sizeof(int)));
  std::string copy = text;
  iovec part{copy.data(), copy.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(rights), fds.data(), count * sizeof(int));
  BOOST_REQUIRE(sendmsg(to.fd(), &header, MSG_NOSIGNAL) >= 0);
}

/// A socket that listens at an abstract name, whatever that looks like.
struct Named {
  explicit Named(const std::string& name) : fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    BOOST_REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
    BOOST_REQUIRE(listen(fd.get(), 5) == 0);
  }
  ipc::Fd fd;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(socket_limits)

BOOST_AUTO_TEST_CASE(a_message_whose_descriptors_find_no_room_is_told_rightly) {
  for (const std::uint64_t room : {0, 1}) {
    Pair pair;
    BOOST_TEST((pair.client.send("two of them", std::array{0, 0}) == ipc::Sent::sent));
    std::string text;
    {
      const DescriptorsLeft left(room);
      BOOST_CHECK_THROW(
          try { static_cast<void>(pair.server.receive()); } catch (const Error& error) {
            text = error.what();
            throw;
          },
          ipc::NoDescriptors);
    }
    BOOST_TEST(has(text, "no file descriptor left in process " + std::to_string(getpid())), text);
    BOOST_TEST(has(text, "ulimit -n"), text);
    BOOST_TEST(!has(text, "no Headrace process"), text);
  }
}

BOOST_AUTO_TEST_CASE(descriptors_of_a_message_that_was_cut_are_closed) {
  Pair pair;
  const auto before = open_files();
  BOOST_TEST((pair.client.send("three", std::array{0, 0, 0}) == ipc::Sent::sent));
  {
    const DescriptorsLeft left(2);
    BOOST_CHECK_THROW(static_cast<void>(pair.server.receive()), ipc::NoDescriptors);
  }
  send_raw(pair.client, "seventeen", ipc::max_message_fds + 1);
  const auto text = error_of([&] { static_cast<void>(pair.server.receive()); });
  BOOST_TEST(has(text, "more than 16 descriptors"), text);
  BOOST_TEST(has(text, "no Headrace process sends that"), text);
  BOOST_TEST(open_files() == before);
}

BOOST_AUTO_TEST_CASE(a_message_that_is_too_long_is_told_apart) {
  Pair pair;
  // Beyond what the receiver takes; the sender's buffer is enlarged where the system lets us (root).
  const int bytes = 8 << 20;
  setsockopt(pair.client.fd(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  const std::string text(ipc::max_message_bytes + 1, 'x');
  if (::send(pair.client.fd(), text.data(), text.size(), MSG_NOSIGNAL) < 0)
    return;  // and where it does not, nobody can
  const auto error = error_of([&] { static_cast<void>(pair.server.receive()); });
  BOOST_TEST(has(error, "of more than 1048576 bytes"), error);
  BOOST_TEST(!has(error, "descriptor"), error);
}

BOOST_AUTO_TEST_CASE(who_finds_no_descriptor_goes_on_waiting) {
  const Listener listener{Address(unique("limits"))};
  const auto client = Connection::connect(listener.address());
  BOOST_REQUIRE(client.has_value());
  {
    const DescriptorsLeft none(0);
    BOOST_CHECK_THROW(static_cast<void>(listener.accept()), ipc::NoDescriptors);
    BOOST_CHECK_THROW(static_cast<void>(listener.accept()), ipc::NoDescriptors);
  }
  BOOST_TEST(listener.accept(1h).has_value());
}

BOOST_AUTO_TEST_CASE(what_needs_a_descriptor_says_which_limit_it_met) {
  const Listener listener{Address(unique("limits"))};
  const ipc::Fd some(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::pair<const char*, std::function<void()>> calls[] = {
      {"socket", [&] { static_cast<void>(Connection::connect(listener.address())); }},
      {"pidfd_open", [] { static_cast<void>(ipc::open_pidfd(getpid())); }},
      {"eventfd", [] { static_cast<void>(ipc::Bell::make()); }},
      {"duplicating", [&] { static_cast<void>(some.duplicate()); }},
  };
  for (const auto& [name, call] : calls) {
    std::string text;
    {
      const DescriptorsLeft none(0);
      text = error_of(call);
    }
    BOOST_TEST(has(text, name), text);
    BOOST_TEST(has(text, "ulimit -n allows process " + std::to_string(getpid())), text);
    BOOST_TEST(!has(text, "Linux 5.3"), text);
  }
}

BOOST_AUTO_TEST_CASE(a_writable_socket_that_refuses_is_full) {
  // The kernel counts a user's descriptors under way, but not root's; and some kernels count none.
  constexpr int is_root = 3, never_refused = 4;
  Pair pair;
  Child sender([&] {
    signal(SIGALRM, SIG_DFL);
    alarm(60);
    const rlimit few{32, 32};
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return is_root;
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
    std::array<int, ipc::max_message_fds> fds{};
    for (int i = 0; i < 50; ++i) {
      if (pair.client.send("some", fds) == ipc::Sent::sent) continue;
      // Also to who would wait: the socket is writable, so there is nothing to wait for.
      return ipc::detail::wait_for(pair.client.fd(), POLLOUT, 0ms) == ipc::detail::Ready::yes &&
                     pair.client.send("more", fds, 1h) == ipc::Sent::full
                 ? 0
                 : 2;
    }
    return never_refused;
  });
  const int code = sender.wait();
  if (code == is_root) return told_as_skipped("root cannot become another user here");
  if (code == never_refused) return told_as_skipped("this system does not count descriptors under way");
  BOOST_TEST(code == 0);
}

BOOST_AUTO_TEST_CASE(a_name_that_another_user_took_is_told_as_such) {
  if (geteuid() != 0) return;  // only root can be somebody else
  const Address name(unique("limits")), silent(unique("limits"));
  std::array<int, 2> ready{};
  BOOST_REQUIRE(pipe(ready.data()) == 0);
  Child squatter([&] {
    if (setresuid(65534, 65534, 65534) != 0) return 1;
    const auto take = [](const Address& address) {
      const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
      const auto target = ipc::detail::raw(address);
      return bind(fd, target.get(), target.length) == 0 ? fd : -1;
    };
    const int fd = take(name);
    if (fd < 0 || take(silent) < 0 || listen(fd, 5) != 0) return 2;
    if (write(ready[1], "x", 1) != 1) return 3;
    pause();
    return 0;
  });
  char byte = 0;
  BOOST_REQUIRE(read(ready[0], &byte, 1) == 1);
  const auto taken = error_of([&] { Listener{name}; });
  BOOST_TEST(has(taken, "another user, uid 65534 (process " + std::to_string(squatter.pid()) + ")"), taken);
  BOOST_TEST(has(taken, "socket = PATH"), taken);
  BOOST_TEST(has(error_of([&] { Listener{silent}; }), "does not listen"));
  BOOST_CHECK_EXCEPTION(Listener{silent}, ipc::NameTaken, [](const ipc::NameTaken& t) { return t.holder == 0; });
  const auto asked = error_of([&] { ipc::require_our_service(*Connection::connect(name), name); });
  BOOST_TEST(has(asked, "another user, uid 65534"), asked);
  for (const auto& listed : ipc::list_services()) BOOST_TEST(listed != name.service());
  close(ready[0]);
  close(ready[1]);
}

BOOST_AUTO_TEST_CASE(names_that_only_look_like_services_are_not_listed) {
  const Listener real{Address(unique("limits"))};
  const Named forged("headrace/" + std::to_string(geteuid()) + "/\x1b[31mred\x1b]0;owned\x07");
  const auto names = ipc::list_services();
  BOOST_TEST(std::count(names.begin(), names.end(), real.address().service()) == 1);
  for (const auto& name : names) BOOST_TEST(name.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
