#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "ipc/child.hpp"
#include "ipc/memory.hpp"
#include "ipc/socket.hpp"
#include "ipc/socket_pair.hpp"
#include "texts.hpp"

using namespace headrace;
using namespace std::chrono_literals;
using ipc::Address;
using ipc::Connection;
using ipc::Listener;
using ipc::Receipt;
using ipc::Sent;
using ipc_test::Pair;
using ipc_test::unique;

namespace {

struct SocketFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / unique("headrace-test");
  SocketFolder() { std::filesystem::create_directory(path); }
  ~SocketFolder() { std::filesystem::remove_all(path); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sockets)

BOOST_AUTO_TEST_CASE(names_and_paths) {
  BOOST_TEST(Address("lcd").name() == '\0' + ("headrace/" + std::to_string(geteuid()) + "/lcd"));
  BOOST_TEST(Address("./lcd.sock").is_path());
  for (const auto* bad : {"", "two words", "tab\t", "a\nb", "ü"}) BOOST_CHECK_THROW(Address{bad}, Error);
  BOOST_CHECK_THROW(Address(std::string("/tmp/a\0b", 8)), Error);
  BOOST_CHECK_EXCEPTION(Address(std::string(200, 'a')), Error, says("too long"));
  BOOST_CHECK_EXCEPTION(Address("/" + std::string(108, 'a')), Error, says("107"));
}

BOOST_AUTO_TEST_CASE(messages_arrive_whole_and_in_order_and_the_end_is_seen) {
  Pair pair;
  BOOST_TEST((pair.server.receive().what == Receipt::nothing));
  BOOST_TEST((pair.server.receive(1ms).what == Receipt::nothing));
  const std::string large(200 * 1024, 'x');
  BOOST_TEST((pair.client.send("first") == Sent::sent));
  BOOST_TEST((pair.client.send(large) == Sent::sent));
  BOOST_TEST(pair.server.receive().message.text == "first");
  BOOST_TEST((pair.server.receive().message.text == large));
  BOOST_TEST((pair.server.send("back") == Sent::sent));
  pair.server.close();
  BOOST_TEST(pair.client.receive(1h).message.text == "back");
  BOOST_TEST((pair.client.receive(1h).what == Receipt::closed));
  BOOST_TEST((pair.client.send("into the void") == Sent::closed));
}

BOOST_AUTO_TEST_CASE(last_words_arrive_from_who_left_without_reading_all) {
  Pair pair;
  BOOST_TEST((pair.client.send("unread") == Sent::sent));
  BOOST_TEST((pair.server.send("one") == Sent::sent));
  BOOST_TEST((pair.server.send("two") == Sent::sent));
  pair.server.close();
  BOOST_TEST(pair.client.receive(1h).message.text == "one");
  BOOST_TEST(pair.client.receive(1h).message.text == "two");
  BOOST_TEST((pair.client.receive(1h).what == Receipt::closed));
}

BOOST_AUTO_TEST_CASE(descriptors_travel_and_are_close_on_exec) {
  Pair pair;
  const auto memory = ipc::make_memfd("test", 12345);
  const std::array<int, 2> fds{memory.get(), memory.get()};
  BOOST_TEST((pair.client.send("here", fds) == Sent::sent));
  auto received = pair.server.receive(1h);
  BOOST_REQUIRE_EQUAL(received.message.fds.size(), 2);
  for (const auto& fd : received.message.fds) {
    BOOST_TEST(ipc::size_of_file(fd) == 12345);
    BOOST_TEST((fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_blocks_nobody) {
  Pair pair;
  const std::string text(100'000, 'x');
  Sent sent = Sent::sent;
  for (int i = 0; i < 1000 && sent == Sent::sent; ++i) sent = pair.client.send(text);
  BOOST_TEST((sent == Sent::full));
  BOOST_TEST((pair.client.send(text, {}, 5ms) == Sent::full));
  while (pair.server.receive().what == Receipt::message) {
  }
  BOOST_TEST((pair.client.send(text, {}, 1h) == Sent::sent));
}

BOOST_AUTO_TEST_CASE(what_is_too_long_is_an_error_on_both_sides) {
  Pair pair;
  BOOST_CHECK_EXCEPTION(pair.client.send(std::string(ipc::max_message_bytes + 1, 'x')), Error, says("does not fit"));
  // Someone else's program: more descriptors than any of our messages has.
  const auto memory = ipc::make_memfd("test", 1);
  constexpr std::size_t many = ipc::max_message_fds + 4;
  std::array<char, CMSG_SPACE(many * sizeof(int))> control{};
  char byte = 'x';
  iovec part{&byte, 1};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(many * sizeof(int));
  for (std::size_t i = 0; i < many; ++i) reinterpret_cast<int*>(CMSG_DATA(rights))[i] = memory.get();
  BOOST_REQUIRE_EQUAL(sendmsg(pair.client.fd(), &header, 0), 1);
  const int next_free = ipc::make_memfd("probe", 1).get();
  BOOST_CHECK_EXCEPTION(pair.server.receive(), Error, says("descriptors"));
  BOOST_TEST(ipc::make_memfd("probe", 1).get() == next_free);  // those that did arrive are closed again
}

BOOST_AUTO_TEST_CASE(a_name_is_taken_once_and_its_holder_named) {
  const Address address(unique("taken"));
  {
    const Listener first(address);
    const auto text = "a service named '" + address.service() + "' already runs on this node (pid " +
                      std::to_string(getpid()) + "); choose another name or run: headrace stop " + address.service();
    BOOST_CHECK_EXCEPTION(Listener{address}, ipc::NameTaken,
                          [&](const ipc::NameTaken& taken) { return says(text)(taken) && taken.holder == getpid(); });
    const auto names = ipc::list_services();
    BOOST_TEST((std::ranges::find(names, address.service()) != names.end()));
  }
  const Listener where_stagers_meet(Address("." + unique("meeting")));  // not in a list, and nobody calls there to make one
  const auto names = ipc::list_services();
  BOOST_TEST((std::ranges::find(names, where_stagers_meet.address().service()) == names.end()));
  BOOST_TEST(!where_stagers_meet.accept(1ms).has_value());
  const Listener again(address);  // nothing stale is left
  BOOST_TEST(!Connection::connect(Address(unique("nobody"))).has_value());
  BOOST_TEST(!again.accept(1ms).has_value());
}

BOOST_AUTO_TEST_CASE(a_path_of_a_dead_server_is_replaced_and_of_a_live_one_refused) {
  const SocketFolder folder;
  const auto path = (folder.path / "lcd.sock").string();
  BOOST_TEST(Child([&] {
               auto* forgotten = new Listener{Address(path)};  // killed before it can clean up
               return forgotten->fd() >= 0 ? 0 : 1;
             }).wait() == 0);
  BOOST_REQUIRE(std::filesystem::exists(path));
  BOOST_TEST(!Connection::connect(Address(path)).has_value());
  {
    const Listener live{Address(path)};
    BOOST_CHECK_EXCEPTION(Listener{Address(path)}, Error, says("already runs"));
    BOOST_TEST(Connection::connect(Address(path)).has_value());
  }
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_path_of_a_server_that_stands_still_is_refused) {
  const SocketFolder folder;
  const auto path = (folder.path / "lcd.sock").string();
  const ipc::Fd still(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  BOOST_TEST_REQUIRE(bind(still.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  BOOST_TEST_REQUIRE(listen(still.get(), 0) == 0);
  std::vector<Connection> callers;  // until nobody finds room in its queue
  while (auto caller = Connection::connect(Address(path))) callers.push_back(std::move(*caller));
  BOOST_TEST(!callers.empty());
  BOOST_CHECK_EXCEPTION(Listener{Address(path)}, Error, says("stands still"));
  BOOST_TEST(std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_path_that_is_somebody_elses_stays) {
  const SocketFolder folder;
  const auto path = (folder.path / "file").string();
  ipc::Fd(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)).close();
  BOOST_CHECK_EXCEPTION(Listener{Address(path)}, Error, says("no socket"));
  BOOST_TEST(std::filesystem::exists(path));
  BOOST_CHECK_EXCEPTION(Listener{Address((folder.path / "no" / "folder").string())}, Error, says("cannot listen"));
  const auto moved = (folder.path / "moved.sock").string();
  {
    const Listener first{Address(moved)};
    std::filesystem::remove(moved);
    static Listener* second = nullptr;
    second = new Listener{Address(moved)};
    BOOST_TEST(second->fd() >= 0);
  }
  BOOST_TEST(std::filesystem::exists(moved));  // the second's, not the first's to remove
}

BOOST_AUTO_TEST_CASE(another_user_is_told_apart) {
  Pair pair;
  BOOST_TEST(pair.server.peer().pid == getpid());
  ipc::require_same_user(pair.server, "the client");
  if (geteuid() != 0) return;  // only root can be somebody else
  Child stranger([&] {
    if (setresuid(65534, 65534, 65534) != 0) return 1;
    const auto connection = Connection::connect(pair.listener.address());
    if (!connection) return 2;
    try {
      ipc::require_same_user(*connection, "the service");
    } catch (const Error&) {
      return 42;
    }
    return 3;
  });
  const auto visitor = pair.listener.accept(1h);
  BOOST_REQUIRE(visitor.has_value());
  BOOST_CHECK_EXCEPTION(ipc::require_same_user(*visitor, "the client"), Error, says("uid 65534"));
  BOOST_TEST(stranger.wait() == 42);
}

BOOST_AUTO_TEST_CASE(a_connection_can_be_passed_on_to_another_process) {
  Pair desk;
  Pair guest;
  Child stager([&] {
    auto received = desk.client.receive(1h);
    const Connection taken(std::move(received.message.fds.at(0)));
    return taken.send("welcome from the stager") == Sent::sent ? 0 : 1;
  });
  const std::array<int, 1> fds{guest.server.fd()};
  BOOST_TEST((desk.server.send("take this one", fds) == Sent::sent));
  guest.server.close();
  BOOST_TEST(guest.client.receive(1h).message.text == "welcome from the stager");
  BOOST_TEST((guest.client.receive(1h).what == Receipt::closed));
  BOOST_TEST(stager.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
