// The front desk with real sockets, and a script in place of the coordinator and of the stagers that serve rings. The
// host's thread is this one, step by step.
#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ipc/process.hpp"
#include "service/blueprint/world.hpp"
#include "service/host/front_desk.hpp"

namespace service_test {

using namespace headrace::service::books;
using namespace headrace::service::host;
using namespace std::chrono_literals;

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
                     .stop = [this](const std::string& reason) { stops.push_back(reason); }},
                 "the-word");
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
  nlohmann::json ask(const std::string& command, const std::string& word = "") {
    connection.send(ring::encode(ring::Command{command, "", word}));
    const auto received = hear();
    BOOST_TEST_REQUIRE((received && received->what == ipc::Receipt::message));
    return nlohmann::json::parse(received->message.text);
  }
};

inline ring::Hello trainer(std::uint32_t rank, std::uint32_t world = 2) {
  ring::Hello hello;
  hello.rank = rank;
  hello.world_size = world;
  hello.host = "n0";
  hello.pid = getpid();
  return hello;
}

inline ring::Hello tool() {
  ring::Hello hello;
  hello.role = ring::Role::control;
  return hello;
}

inline void Desk::serve_and_leave(RingState state) {
  const Caller caller(*this, trainer(0));
  desk->hear(Granted{claimed().id, {}});
  BOOST_TEST_REQUIRE(!handed.empty());
  desk->hear(RingLeft{0, handed.back().trainer.ring, state});
  handed.pop_back();
}

}  // namespace service_test
