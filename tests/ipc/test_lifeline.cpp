#include <sys/socket.h>

#include <boost/test/unit_test.hpp>
#include <future>
#include <sstream>
#include <string>

#include "ipc/lifeline.hpp"

using namespace headrace::ipc;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(lifeline)

/// The address as seen from this machine, whatever networks it is on.
static std::string local(const Mooring& mooring, const std::string& hosts = "127.0.0.1") {
  std::istringstream words(mooring.address());
  std::string secret, port;
  words >> secret >> port;
  return secret + " " + port + " " + hosts;
}

static auto coming(const Mooring& mooring) {
  return std::async(std::launch::async, [&] { return mooring.accept(20s); });
}

BOOST_AUTO_TEST_CASE(it_tells_that_the_other_end_let_go) {
  const Mooring mooring;
  auto guest = coming(mooring);
  auto mine = tie(local(mooring), 20s);
  auto theirs = guest.get();
  BOOST_REQUIRE(mine.has_value());
  BOOST_REQUIRE(theirs.has_value());
  mine->watch(10s);
  theirs->watch(1s);
  BOOST_TEST((mine->fate() == Lifeline::Fate::fine));
  BOOST_TEST((theirs->fate() == Lifeline::Fate::fine));
  mine.reset();
  while (theirs->fate() == Lifeline::Fate::fine) {
  }
  BOOST_TEST((theirs->fate() == Lifeline::Fate::closed));
}

BOOST_AUTO_TEST_CASE(a_reset_is_no_lost_node) {
  const Mooring mooring;
  auto guest = coming(mooring);
  auto mine = tie(local(mooring), 20s);
  const auto theirs = guest.get();
  BOOST_REQUIRE(mine.has_value());
  BOOST_REQUIRE(theirs.has_value());
  const linger at_once{1, 0};  // what a node says of a connection that it does not know
  BOOST_REQUIRE(setsockopt(mine->fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  mine.reset();
  auto fate = Lifeline::Fate::fine;
  while (fate == Lifeline::Fate::fine) fate = theirs->fate();  // a socket tells its error once
  BOOST_TEST((fate == Lifeline::Fate::reset));
}

BOOST_AUTO_TEST_CASE(addresses_that_lead_nowhere_are_passed_over) {
  const Mooring mooring, other;
  auto guest = coming(mooring);
  // Nobody listens at the first; the second is no address.
  const auto mine = tie(local(mooring, "127.99.99.99 nonsense 127.0.0.1"), 20s);
  BOOST_TEST(mine.has_value());
  BOOST_TEST(guest.get().has_value());
}

BOOST_AUTO_TEST_CASE(who_does_not_know_the_secret_is_not_let_in) {
  const Mooring mooring;
  auto guest = coming(mooring);
  auto wrong = local(mooring);
  wrong[0] = wrong[0] == '0' ? '1' : '0';
  BOOST_TEST(!tie(wrong, 5s).has_value());
  BOOST_TEST(tie(local(mooring), 20s).has_value());  // it still listens
  BOOST_TEST(guest.get().has_value());
}

BOOST_AUTO_TEST_CASE(nobody_comes) {
  const Mooring mooring;
  BOOST_TEST(!mooring.accept(1ms).has_value());
  BOOST_TEST(!tie("secret 1", 1ms).has_value());
  BOOST_TEST(!tie("", 1ms).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
