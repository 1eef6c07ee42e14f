// How messages travel between the stagers of two nodes: links are real sockets, the exchange is a queue.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "ipc/descriptors_left.hpp"
#include "ipc/socket.hpp"
#include "service/host/router.hpp"

using namespace headrace;
using namespace headrace::service::books;
using namespace headrace::service::host;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(router)

namespace {

std::pair<ipc::Connection, ipc::Connection> socket_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    throw_errno("socketpair");
  return {ipc::Connection(ipc::Fd(ends[0])), ipc::Connection(ipc::Fd(ends[1]))};
}

/// Two nodes of two stagers: 0 is the head, 2 leads the other node. What each hears is noted, as "way type".
struct Service {
  ipc::Poller poller;
  std::deque<std::function<void()>> soon;
  std::array<std::vector<std::string>, 4> heard;
  std::array<std::vector<ipc::Fd>, 4> fds;
  std::array<std::unique_ptr<Router>, 4> routers;
  std::array<ipc::Connection, 2> raw;  // the other end of a link, where a test takes it

  Service() {
    for (std::uint32_t node = 0; node < 2; ++node) {
      auto [leader, other] = socket_pair();
      std::vector<ipc::Connection> of_leader(2), of_other;
      of_leader[1] = std::move(leader);
      of_other.push_back(std::move(other));
      add({nodes(), node, 0}, std::move(of_leader));
      add({nodes(), node, 1}, std::move(of_other));
    }
  }
  static std::vector<job::Node> nodes() { return {{0, 2, "n0"}, {2, 2, "n1"}}; }
  void add(const Seat& seat, std::vector<ipc::Connection> links) {
    const auto me = seat.me();
    const auto note = [this, me](const char* way, const std::string& text) {
      const auto begin = text.find(R"("type":")") + 8;
      heard[me].push_back(std::string(way) + " " + text.substr(begin, text.find('"', begin) - begin));
    };
    routers[me] = std::make_unique<Router>(
        seat, poller, std::move(links),
        [this](int to, std::string text) {
          soon.push_back([this, to, text = std::move(text)] { routers[static_cast<std::size_t>(to)]->arrived(text); });
        },
        [this](std::function<void()> job) { soon.push_back(std::move(job)); },
        Router::Receivers{
            .head = [note](const ToHead& m) { note("head", encode(m)); },
            .from_head = [note](const FromHead& m) { note("from_head", encode(m)); },
            .from_node = [note](const ToLeader& m) { note("from_node", encode(m)); },
            .from_leader =
                [this, note, me](const ToStager& m, std::vector<ipc::Fd> got) {
                  note("from_leader", encode(m));
                  for (auto& fd : got) fds[me].push_back(std::move(fd));
                },
            .link_closed = [this,
                            me](std::uint32_t local) { heard[me].push_back("closed " + std::to_string(local)); }});
  }
  void settle() {
    do {
      for (; !soon.empty(); soon.pop_front()) soon.front()();
    } while (poller.wait(0ms) > 0 || !soon.empty());
  }
  std::vector<std::string> take(std::size_t stager) {
    settle();
    return std::exchange(heard[stager], {});
  }
};

using Heard = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(every_stager_reaches_the_head) {
  Service service;
  for (const auto& router : service.routers) router->to_head(Ending{});
  BOOST_TEST(service.take(0) == Heard(4, "head ending"), boost::test_tools::per_element());
  for (const auto other : {1, 2, 3}) BOOST_TEST(service.take(static_cast<std::size_t>(other)).empty());
}

BOOST_AUTO_TEST_CASE(the_head_hears_itself_later_and_not_in_the_middle_of_a_call) {
  Service service;
  service.routers[0]->to_head(Stop{"x"});
  BOOST_TEST(service.heard[0].empty());
  BOOST_TEST(service.take(0) == Heard{"head stop"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(matters_of_a_node_stay_there) {
  Service service;
  service.routers[2]->to_leader(RingMade{});
  service.routers[3]->to_leader(Figures{});
  BOOST_TEST(service.take(2) == (Heard{"from_node ring_made", "from_node figures"}), boost::test_tools::per_element());
  for (const auto other : {0, 1, 3}) BOOST_TEST(service.take(static_cast<std::size_t>(other)).empty());
}

BOOST_AUTO_TEST_CASE(the_head_reaches_leaders_and_they_their_stagers) {
  Service service;
  service.routers[0]->to_node(0, Look{});
  service.routers[0]->to_node(1, End{});
  BOOST_TEST(service.take(0) == Heard{"from_head look"}, boost::test_tools::per_element());
  BOOST_TEST(service.take(2) == Heard{"from_head end"}, boost::test_tools::per_element());
  service.routers[2]->to_others(End{});
  service.routers[3]->to_others(End{});  // no leader: nobody
  service.routers[2]->to_local(0, MakeRing{});
  service.routers[2]->to_local(1, MakeRing{});
  BOOST_TEST(service.take(2) == Heard{"from_leader make_ring"}, boost::test_tools::per_element());
  BOOST_TEST(service.take(3) == (Heard{"from_leader end", "from_leader make_ring"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(last_words_come_before_the_end_of_who_says_them) {
  Service service;
  BOOST_TEST(!service.routers[2]->last_word_to_leader(Ended{"x"}));  // it is the leader
  service.routers[2]->last_word_to_others(Dead{"x"});
  BOOST_TEST(service.take(3) == Heard{"from_leader dead"}, boost::test_tools::per_element());
  BOOST_TEST(service.routers[3]->last_word_to_leader(Ended{"x"}));
  service.routers[3].reset();
  BOOST_TEST(service.take(2) == (Heard{"from_node ended", "closed 1"}), boost::test_tools::per_element());
  service.routers[0].reset();
  BOOST_TEST(!service.routers[1]->last_word_to_leader(Ended{"x"}));  // nobody hears it
}

BOOST_AUTO_TEST_CASE(descriptors_travel_with_a_trainer) {
  Service service;
  std::vector<ipc::Fd> fds;
  for (int i = 0; i < 2; ++i) fds.emplace_back(dup(STDERR_FILENO));
  service.routers[0]->to_local(1, HandOver{}, std::move(fds));
  BOOST_TEST(service.take(1) == Heard{"from_leader trainer"}, boost::test_tools::per_element());
  BOOST_TEST(service.fds[1].size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_trainer_whose_descriptors_found_no_place_still_comes) {
  Service service;
  std::vector<ipc::Fd> fds;
  for (int i = 0; i < 2; ++i) fds.emplace_back(dup(STDERR_FILENO));
  service.routers[0]->to_local(1, HandOver{}, std::move(fds));
  {
    const DescriptorsLeft none(0);
    BOOST_TEST(service.take(1) == Heard{"from_leader trainer"}, boost::test_tools::per_element());
  }
  BOOST_TEST(service.fds[1].size() < 2u);
}

BOOST_AUTO_TEST_CASE(what_comes_on_a_wrong_way_is_an_error) {
  Service service;
  BOOST_CHECK_THROW(service.routers[0]->arrived(encode(FromHead(Exit{}))), Error);
  BOOST_CHECK_THROW(service.routers[2]->arrived(encode(ToHead(Stop{}))), Error);
  BOOST_CHECK_THROW(service.routers[2]->arrived(R"({"type":"unheard-of"})"), Error);
  // Through a link, too: a leader hears no orders, and others nothing but those.
  ipc::Poller poller;
  auto [mine, peer] = socket_pair();
  std::vector<ipc::Connection> links(2);
  links[1] = std::move(mine);
  const Router leader({Service::nodes(), 1, 0}, poller, std::move(links), {}, {}, {});
  peer.send(encode(ToStager(MakeRing{})));
  BOOST_CHECK_THROW(poller.wait(1s), Error);
}

BOOST_AUTO_TEST_CASE(a_stager_that_dies_is_seen_on_its_link) {
  Service service;
  service.routers[3].reset();
  BOOST_TEST(service.take(2) == Heard{"closed 1"}, boost::test_tools::per_element());
  service.routers[2]->to_others(End{});  // and it is not written to any more
  BOOST_TEST(service.take(2).empty());
  service.routers[0].reset();
  BOOST_TEST(service.take(1) == Heard{"closed 0"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
