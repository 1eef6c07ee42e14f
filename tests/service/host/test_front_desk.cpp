// The front desk with real sockets, and a script in place of the coordinator and of the stagers that serve rings. The
// host's thread is this one, step by step.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "ipc/process.hpp"
#include "service/blueprint/world.hpp"
#include "service/host/front_desk.hpp"
#include "texts.hpp"

using namespace service_test;
using namespace headrace::service::books;
using namespace headrace::service::host;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(front_desk)

namespace {

/// The desk of a node of two stagers, with places for two trainers.
struct Desk {
  Config config;
  Blueprint drawn = blueprint(400, {stream("train", "", 8, plan::Shuffle::global, plan::Last::drop)}, {1, 1});
  Seat seat{{{0, 2, "n0"}}, 0, 0};
  ipc::Poller poller;
  std::vector<ClaimRank> claims;
  std::vector<std::pair<std::uint32_t, MakeRing>> orders;
  struct Handed {
    std::uint32_t local;
    HandOver trainer;
    std::vector<ipc::Fd> fds;
  };
  std::vector<Handed> handed;
  std::vector<std::uint64_t> stats;
  std::vector<std::string> stops;
  std::optional<FrontDesk> desk;

  Desk() {
    static int desks = 0;
    config.name = "test-desk-" + std::to_string(getpid()) + "-" + std::to_string(++desks);
    config.trainers_per_node = 2;
    config.slots = 4;
    drawn.trainers = 2;
    desk.emplace(config, seat, poller,
                 FrontDesk::Actions{
                     .claim = [this](ClaimRank claim) { claims.push_back(std::move(claim)); },
                     .hand_over =
                         [this](std::uint32_t local, HandOver trainer, std::vector<ipc::Fd> fds) {
                           handed.push_back({local, std::move(trainer), std::move(fds)});
                         },
                     .make_ring = [this](std::uint32_t local, MakeRing order) { orders.emplace_back(local, order); },
                     .stat = [this](std::uint64_t tool) { stats.push_back(tool); },
                     .stop = [this](const std::string& reason) { stops.push_back(reason); }});
  }
  void open() { desk->open(drawn, {}); }
  /// All that has arrived is heard.
  void settle() {
    while (poller.wait(0ms) > 0) continue;
  }
  ClaimRank claimed() {
    settle();
    BOOST_TEST_REQUIRE(!claims.empty());
    auto claim = claims.front();
    claims.erase(claims.begin());
    return claim;
  }
  /// A trainer comes in, is granted its rank, and leaves its ring like that.
  void serve_and_leave(RingState state);
};

/// Whoever connects.
struct Caller {
  Desk& desk;
  ipc::Connection connection;

  explicit Caller(Desk& d) : desk(d), connection(*ipc::Connection::connect(ipc::Address(d.config.name))) {}
  Caller(Desk& d, const ring::Hello& hello) : Caller(d) {
    const auto pidfd = ipc::open_pidfd(getpid());
    const int fds[] = {pidfd.get()};
    if (hello.role == ring::Role::trainer)
      connection.send(ring::encode(hello), fds);
    else
      connection.send(ring::encode(hello));
    desk.settle();
  }
  std::optional<ipc::Received> hear() {
    desk.settle();
    auto received = connection.receive();
    if (received.what == ipc::Receipt::nothing) return std::nullopt;
    return received;
  }
  template <class Message>
  Message take() {
    const auto received = hear();
    BOOST_TEST_REQUIRE((received && received->what == ipc::Receipt::message));
    return std::get<Message>(ring::decode_from_service(received->message.text));
  }
  std::string refusal() { return take<ring::Refused>().text; }
  nlohmann::json ask(const std::string& command) {
    connection.send(ring::encode(ring::Command{command, ""}));
    const auto received = hear();
    BOOST_TEST_REQUIRE((received && received->what == ipc::Receipt::message));
    return nlohmann::json::parse(received->message.text);
  }
};

ring::Hello trainer(std::uint32_t rank, std::uint32_t world = 2) {
  ring::Hello hello;
  hello.rank = rank;
  hello.world_size = world;
  hello.host = "n0";
  hello.pid = getpid();
  return hello;
}

ring::Hello tool() {
  ring::Hello hello;
  hello.role = ring::Role::control;
  return hello;
}

void Desk::serve_and_leave(RingState state) {
  const Caller caller(*this, trainer(0));
  desk->hear(Granted{claimed().id, {}});
  BOOST_TEST_REQUIRE(!handed.empty());
  desk->hear(RingLeft{0, handed.back().trainer.ring, state});
  handed.pop_back();
}

}  // namespace

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

BOOST_AUTO_TEST_CASE(at_the_end_who_waits_is_told_why) {
  Desk desk;
  Caller waiting(desk, trainer(0)), asking(desk, tool());
  waiting.take<ring::Loading>();
  desk.desk->close("the service has ended (x)");
  const auto refused = waiting.take<ring::Refused>();
  BOOST_TEST((refused.kind == ring::Refusal::failed && refused.text == "the service has ended (x)"));
  BOOST_TEST(asking.ask("wait").at("ended") == "the service has ended (x)");
  BOOST_TEST(!asking.hear());
  desk.desk->over();
  BOOST_TEST((asking.hear()->what == ipc::Receipt::closed));
}

BOOST_AUTO_TEST_CASE(who_hears_that_it_is_over_can_have_the_name) {
  Desk desk;
  Caller asking(desk, tool());
  desk.desk->close("the service has ended (x)");
  BOOST_CHECK_THROW(ipc::Listener{ipc::Address(desk.config.name)}, ipc::NameTaken);
  desk.desk->over();
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
    desk.desk->over();
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
