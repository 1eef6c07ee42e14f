// The end of the front desk: who is told why, and who comes after it.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "service/host/desk.hpp"

using namespace service_test;
using namespace headrace::service::books;
using namespace headrace::service::host;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(front_desk_end)

BOOST_AUTO_TEST_CASE(at_the_end_who_waits_is_told_why) {
  Desk desk;
  Caller waiting(desk, trainer(0)), asking(desk, tool());
  waiting.take<ring::Loading>();
  desk.desk->close("the service has ended (x)");
  const auto refused = waiting.take<ring::Refused>();
  BOOST_TEST((refused.kind == ring::Refusal::failed && refused.text == "the service has ended (x)"));
  BOOST_TEST(asking.ask("wait").at("ended") == "the service has ended (x)");
  BOOST_TEST(!asking.hear());
  desk.desk->over(false);
  BOOST_TEST((asking.hear()->what == ipc::Receipt::closed));
}

BOOST_AUTO_TEST_CASE(who_hears_that_it_is_over_can_have_the_name) {
  Desk desk;
  Caller asking(desk, tool());
  desk.desk->close("the service has ended (x)");
  BOOST_CHECK_THROW(ipc::Listener{ipc::Address(desk.config.name)}, ipc::NameTaken);
  desk.desk->over(false);
  BOOST_TEST((asking.hear()->what == ipc::Receipt::closed));
  const ipc::Listener again{ipc::Address(desk.config.name)};
  // Who knocks now comes to the other one, whatever is still said here.
  const auto connection = ipc::Connection::connect(again.address());
  BOOST_TEST_REQUIRE(connection.has_value());
  connection->send(ring::encode(tool()));
  desk.desk->tick(Clock::now() + 1s);
  desk.desk->close_at_once("the service has failed (y)");
  desk.settle();
  BOOST_TEST((connection->receive().what == ipc::Receipt::nothing));
  BOOST_TEST(again.accept().has_value());
}

BOOST_AUTO_TEST_CASE(who_asked_for_the_end_hears_of_it_and_waits_for_the_memory_too) {
  for (const bool audit_failed : {false, true}) {
    Desk desk;
    Caller stopping(desk, tool());
    BOOST_TEST(stopping.ask("stop").at("stopping") == true);
    desk.desk->close("the service has ended (x)");
    desk.desk->over(audit_failed);
    const ipc::Listener again{ipc::Address(desk.config.name)};
    const auto last = stopping.hear();
    BOOST_TEST_REQUIRE((last && last->what == ipc::Receipt::message));
    const auto said = nlohmann::json::parse(last->message.text);
    BOOST_TEST((said.at("stopped") == true && said.at("audit_failed") == audit_failed));
    BOOST_TEST(!stopping.hear());
    desk.desk.reset();  // which goes after all that takes memory
    BOOST_TEST((stopping.connection.receive().what == ipc::Receipt::closed));
  }
}

BOOST_AUTO_TEST_CASE(whoever_connected_hears_the_last_words) {
  Desk desk;
  const auto knock = [&] { return *ipc::Connection::connect(ipc::Address(desk.config.name)); };
  const auto pidfd = ipc::open_pidfd(getpid());
  const int fds[] = {pidfd.get()};
  desk.open();
  desk.serve_and_leave(RingState::vacant);
  Caller claiming(desk, trainer(0)), preparing(desk, trainer(1));
  const auto claim = desk.claimed();
  BOOST_TEST_REQUIRE((desk.claims.empty() && desk.orders.size() == 1u));
  Caller silent(desk);
  desk.settle();  // it is inside, and the other two are in the kernel's queue
  const auto quick = knock(), slow = knock();
  quick.send(ring::encode(trainer(0)), fds);
  desk.desk->close_at_once("the service has failed (x)");
  slow.send(ring::encode(trainer(1)), fds);
  const auto hears = [](const ipc::Connection& who) {
    const auto received = who.receive();
    BOOST_TEST_REQUIRE((received.what == ipc::Receipt::message));
    const auto refused = std::get<ring::Refused>(ring::decode_from_service(received.message.text));
    BOOST_TEST((refused.kind == ring::Refusal::failed && refused.text == "the service has failed (x)"));
  };
  for (const ipc::Connection* who : {&std::as_const(silent.connection), &quick, &slow}) {
    hears(*who);
    BOOST_TEST((who->receive().what == ipc::Receipt::closed));
  }
  hears(claiming.connection);
  hears(preparing.connection);
  // What was under way comes to its end all the same.
  desk.desk->hear(Granted{claim.id, {}});  // its stager sees that it is gone
  BOOST_TEST_REQUIRE(desk.handed.size() == 1u);
  BOOST_TEST(desk.handed[0].fds.size() == 2u);
  desk.desk->hear(RingMade{0, desk.orders[0].second.ring, ""});
  BOOST_TEST((preparing.hear()->what == ipc::Receipt::closed));
  BOOST_TEST(desk.claims.empty());
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_ring_at_the_end_is_told_why) {
  for (const bool heard_of : {false, true}) {
    Desk desk;
    desk.open();
    desk.serve_and_leave(RingState::vacant);
    Caller claiming(desk, trainer(0)), preparing(desk, trainer(1));
    const auto claim = desk.claimed();
    BOOST_TEST_REQUIRE(desk.orders.size() == 1u);
    desk.desk->close("the service has ended (x)");
    const auto refused = preparing.take<ring::Refused>();
    BOOST_TEST((refused.kind == ring::Refusal::failed && refused.text == "the service has ended (x)"));
    BOOST_TEST(!claiming.hear());  // its answer is on its way
    if (heard_of) desk.desk->hear(RingMade{0, desk.orders[0].second.ring, "too little memory"});
    desk.desk->hear(ClaimRefused{claim.id, "the service is ending (x)", false});
    const auto no = claiming.take<ring::Refused>();
    BOOST_TEST((no.kind == ring::Refusal::failed && no.text == "the service is ending (x)"));
    BOOST_TEST((claiming.hear()->what == ipc::Receipt::closed));
    desk.desk->over(false);
    BOOST_TEST((preparing.hear()->what == ipc::Receipt::closed));
  }
}

BOOST_AUTO_TEST_CASE(who_comes_after_the_end_hears_of_it) {
  Desk desk;
  desk.desk->close("the service has ended (x)");
  Caller late(desk, trainer(0));
  const auto refused = late.take<ring::Refused>();
  BOOST_TEST((refused.kind == ring::Refusal::failed && refused.text == "the service has ended (x)"));
}

BOOST_AUTO_TEST_SUITE_END()
