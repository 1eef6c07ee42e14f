// The front desk: who comes in, what it is told, and to whom it is handed over.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "service/host/desk.hpp"
#include "texts.hpp"

using namespace service_test;
using namespace headrace::service::books;
using namespace headrace::service::host;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(front_desk)

BOOST_AUTO_TEST_CASE(who_comes_while_loading_is_told_so_and_waits) {
  Desk desk;
  desk.desk->loading("loading", 0.25);
  Caller caller(desk, trainer(1));
  const auto told = caller.take<ring::Loading>();
  BOOST_TEST((told.what == "loading" && told.fraction == 0.25));
  desk.desk->loading("loading", 0.5);
  desk.desk->tick(Clock::now() + 1s);
  BOOST_TEST(caller.take<ring::Loading>().fraction == 0.5);
  BOOST_TEST(desk.claims.empty());
  desk.open();
  const auto claim = desk.claimed();
  BOOST_TEST((claim.node == 0 && claim.claim.rank == 1 && claim.claim.world_size == 2 && claim.claim.no_room.empty()));
  BOOST_TEST(claim.claim.who == "process " + std::to_string(getpid()) + " on n0");
}

BOOST_AUTO_TEST_CASE(a_grant_hands_the_connection_to_the_stager_of_the_ring) {
  Desk desk;
  desk.open();
  auto hello = trainer(1);
  hello.local_rank = 1;
  Caller caller(desk, hello);
  const auto claim = desk.claimed();
  desk.desk->hear(Granted{claim.id, {.generation = 9, .session = 3, .ledger = Ledger(25, 0), .loads = 2}});
  BOOST_TEST_REQUIRE(desk.handed.size() == 1u);
  auto& handed = desk.handed[0];
  BOOST_TEST((handed.local == 1 && handed.trainer.ring == 1 && handed.trainer.rank == 1));
  BOOST_TEST((handed.trainer.grant.generation == 9 && handed.trainer.grant.loads == 2));
  BOOST_TEST_REQUIRE(handed.fds.size() == 2u);
  const ipc::Connection served(std::move(handed.fds[0]));
  served.send(ring::encode(ring::Dying{"x"}));
  BOOST_TEST(caller.take<ring::Dying>().text == "x");  // it is the same socket
}

BOOST_AUTO_TEST_CASE(the_replicas_of_a_rank_claim_once_and_go_to_one_place) {
  Desk desk;
  desk.drawn.streams[0].replicas = 2;
  desk.open();
  auto second = trainer(1), first = trainer(1), none = trainer(1);
  second.replica = 1;
  none.replica = 2;
  const Caller two(desk, second);
  const auto claim = desk.claimed();
  const Caller one(desk, first);
  desk.desk->tick(Clock::now() + 1s);
  BOOST_TEST((desk.claims.empty() && desk.handed.empty()));  // it waits for the claim of the other
  desk.desk->hear(Granted{claim.id, {.generation = 9}});
  desk.desk->tick(Clock::now() + 2s);
  BOOST_TEST_REQUIRE(desk.handed.size() == 2u);
  const auto &founder = desk.handed[0].trainer, &joined = desk.handed[1].trainer;
  BOOST_TEST((founder.replica == 1 && !founder.joins && founder.grant.generation == 9));
  BOOST_TEST((joined.replica == 0 && joined.joins && joined.ring == founder.ring && joined.rank == 1));
  BOOST_TEST(desk.claims.empty());
  BOOST_TEST(has(Caller(desk, none).refusal(), "replica 2, but stream 'train' is served with replicas = 2"));
  first.replicas = 4;
  BOOST_TEST(has(Caller(desk, first).refusal(), "replica 0 of 4, but stream 'train' is served with replicas = 2"));
  // All have gone: the next one claims.
  desk.desk->hear(RingLeft{0, founder.ring, RingState::whole});
  const Caller again(desk, second);
  BOOST_TEST(desk.claimed().claim.rank == 1u);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_and_the_place_is_free_again) {
  Desk desk;
  desk.open();
  for (int i = 0; i < 5; ++i) {
    Caller caller(desk, trainer(0));
    const auto claim = desk.claimed();
    BOOST_TEST(claim.claim.no_room.empty());
    desk.desk->hear(ClaimRefused{claim.id, "no, because", false});
    BOOST_TEST(caller.refusal() == "no, because");
    BOOST_TEST((caller.hear()->what == ipc::Receipt::closed));
  }
}

BOOST_AUTO_TEST_CASE(whose_place_another_has_is_tried_again_for_a_while) {
  Desk desk;
  desk.open();
  Caller caller(desk, trainer(0));
  for (int i = 1; i <= 3; ++i) {
    desk.desk->hear(ClaimRefused{desk.claimed().id, "taken", true});
    BOOST_TEST(!caller.hear());
    BOOST_TEST(desk.claims.empty());
    desk.desk->tick(Clock::now() + 200ms * i);
  }
  desk.desk->hear(Granted{desk.claimed().id, {}});
  BOOST_TEST(desk.handed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_rank_is_claimed_even_where_there_is_no_room) {
  Desk desk;
  desk.open();
  const Caller first(desk, trainer(0)), second(desk, trainer(1)), third(desk, trainer(1));
  BOOST_TEST(desk.claimed().claim.no_room.empty());
  BOOST_TEST(desk.claimed().claim.no_room.empty());
  BOOST_TEST(has(desk.claimed().claim.no_room, "all rings of stream 'train' on n0 are taken"));
}

BOOST_AUTO_TEST_CASE(who_goes_while_its_claim_is_under_way_is_handed_over_all_the_same) {
  Desk desk;
  desk.open();
  {
    const Caller caller(desk, trainer(0));
    BOOST_TEST(desk.claims.size() == 1u);
  }
  desk.settle();
  desk.desk->hear(Granted{desk.claimed().id, {}});  // its stager sees that it is gone, and gives rank and ring back
  BOOST_TEST_REQUIRE(desk.handed.size() == 1u);
  BOOST_TEST(desk.handed[0].fds.size() == 2u);
  { const Caller caller(desk, trainer(1)); }
  desk.settle();
  desk.desk->hear(ClaimRefused{desk.claimed().id, "taken", true});  // and this is for nobody
}

BOOST_AUTO_TEST_CASE(a_ring_is_made_anew_before_anybody_gets_a_vacant_place) {
  Desk desk;
  desk.open();
  const Caller other(desk, trainer(1));
  desk.desk->hear(Granted{desk.claimed().id, {}});
  desk.serve_and_leave(RingState::vacant);
  Caller unlucky(desk, trainer(0));
  BOOST_TEST(desk.claims.empty());
  BOOST_TEST_REQUIRE(desk.orders.size() == 1u);
  const auto order = desk.orders[0].second;
  BOOST_TEST(desk.orders[0].first == order.ring % 2);
  desk.desk->hear(RingMade{order.stream, order.ring, "too little memory"});
  BOOST_TEST(unlucky.refusal() == "too little memory");
  const Caller lucky(desk, trainer(0));
  desk.desk->hear(RingMade{order.stream, order.ring, ""});
  desk.desk->hear(Granted{desk.claimed().id, {}});
  BOOST_TEST(desk.handed.back().trainer.ring == order.ring);
}

BOOST_AUTO_TEST_CASE(a_blocked_place_is_explained) {
  Desk desk;
  desk.open();
  const Caller other(desk, trainer(1));
  desk.desk->hear(Granted{desk.claimed().id, {}});
  const auto taken = desk.handed.back().trainer.ring;
  desk.desk->hear(RingRetired{0, 1 - taken, 4096, "trainer 7, thrown out, lives on"});
  desk.serve_and_leave(RingState::blocked);
  const Caller caller(desk, trainer(0));
  BOOST_TEST(has(desk.claimed().claim.no_room, "can be given to nobody: trainer 7, thrown out, lives on"));
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_and_nobody_else_notices) {
  Desk desk;
  desk.open();
  auto hello = trainer(0);
  hello.stream = "trian";
  BOOST_TEST(has(Caller(desk, hello).refusal(), "there is no stream 'trian'; did you mean 'train'?"));
  BOOST_TEST(has(Caller(desk, trainer(3)).refusal(), "rank 3 is not below the world size 2"));
  Caller garbage(desk);
  garbage.connection.send("nonsense");
  BOOST_TEST(!garbage.refusal().empty());
  Caller early(desk);
  early.connection.send(ring::encode(ring::Command{"stop", ""}));
  BOOST_TEST(has(early.refusal(), "a command came before a hello"));
  Caller bare(desk);
  bare.connection.send(ring::encode(trainer(0)));
  BOOST_TEST(has(bare.refusal(), "carries no descriptor"));
  BOOST_TEST(desk.stops.empty());
  BOOST_TEST(desk.claims.empty());
  const Caller good(desk, trainer(0));
  BOOST_TEST(desk.claims.size() == 1u);
}

BOOST_AUTO_TEST_CASE(tools_ask_and_are_answered) {
  Desk desk;
  desk.desk->loading("loading", 0.5);
  Caller asking(desk, tool());
  BOOST_TEST((asking.ask("wait") == nlohmann::json{{"ready", false}, {"what", "loading"}, {"fraction", 0.5}}));
  desk.open();
  BOOST_TEST(asking.ask("wait").at("ready") == true);
  asking.connection.send(ring::encode(ring::Command{"stat", ""}));
  asking.connection.send(ring::encode(ring::Command{"stop", ""}));  // heard when the first is answered
  desk.settle();
  BOOST_TEST_REQUIRE(desk.stats.size() == 1u);
  BOOST_TEST(desk.stops.empty());
  desk.desk->tell(desk.stats[0], "part", false);
  desk.desk->tell(desk.stats[0], "last", true);
  desk.desk->tell(desk.stats[0] + 1, "of nobody", true);
  BOOST_TEST(asking.hear()->message.text == "part");
  BOOST_TEST(asking.hear()->message.text == "last");
  desk.settle();
  BOOST_TEST((desk.stops == std::vector<std::string>{"headrace stop"}));
  Caller wrong(desk, tool());
  wrong.connection.send(ring::encode(ring::Command{"stopp", ""}));
  BOOST_TEST(has(wrong.refusal(), "unknown command 'stopp'; did you mean 'stop'?"));
}

BOOST_AUTO_TEST_CASE(who_would_stop_another_service_of_this_name_is_refused) {
  Desk desk;
  desk.open();
  Caller late(desk, tool());  // its service has ended, and this one has the name
  late.connection.send(ring::encode(ring::Command{"stop", "", "another-word"}));
  BOOST_TEST(late.refusal() ==
             "the service '" + desk.config.name + "' is another one than was to be stopped, and goes on");
  BOOST_TEST((late.hear()->what == ipc::Receipt::closed));
  BOOST_TEST(desk.stops.empty());
  Caller own(desk, tool()), by_hand(desk, tool());
  BOOST_TEST(own.ask("stop", "the-word").at("stopping") == true);
  BOOST_TEST(by_hand.ask("stop").at("stopping") == true);
  BOOST_TEST(desk.stops.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
