// Trainers at the stager that serves them, with real sockets, rings and processes: what one of them does to others. The
// host's thread is this one, step by step: what would wait for a peer would never come back.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <optional>

#include "ipc/child.hpp"
#include "ipc/descriptors_left.hpp"
#include "ring/consumer.hpp"
#include "service/delivery/stagers.hpp"
#include "service/delivery/trainers.hpp"

using namespace service_test;
using namespace headrace::service::books;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(trainers)

namespace {

constexpr std::uint32_t batch = 8;

/// The message of this type, where this is one of the variant's and it is that one.
template <class Message, class... Others>
const Message* find(const std::variant<Others...>& way) {
  if constexpr ((std::is_same_v<Message, Others> || ...))
    return std::get_if<Message>(&way);
  else
    return nullptr;
}

/// A stager with places for two trainers, and nobody around it: what it says to its leader is noted.
struct House {
  std::uint64_t epochs;
  Stager stager{mpi::Comm::self(), false, 400, {train()}};
  Config config;
  ipc::Poller poller;
  std::optional<Rings> rings;
  std::mutex mutex;
  std::deque<std::function<void()>> jobs;
  std::vector<FromStager> said;
  Workers workers{1};  // ends before what it works on
  std::optional<Trainers> trainers;
  std::uint64_t generations = 0;

  /// 0 epochs: endless.
  explicit House(std::uint64_t of_epochs = 0) : epochs(of_epochs) {
    config.streams = {train()};
    config.slots = 4;
    config.trainers_per_node = 2;
    rings.emplace(config, stager.drawn, stager.topology, 1);
    trainers.emplace(config, stager.topology, poller, *stager.supply, workers, *rings,
                     Trainers::Actions{.to_head = [this](ToHead message) { said.push_back(std::move(message)); },
                                       .to_leader = [this](ToLeader message) { said.push_back(std::move(message)); },
                                       .post =
                                           [this](std::function<void()> job) {
                                             const std::lock_guard lock(mutex);
                                             jobs.push_back(std::move(job));
                                           }});
  }
  StreamConfig train() const { return stream("train", "", batch, plan::Shuffle::global, plan::Last::drop, epochs); }
  /// Events, jobs and time pass, until the condition holds.
  bool until(const std::function<bool()>& condition) {
    for (int i = 0; i < 20'000; ++i) {
      poller.wait(1ms);
      std::deque<std::function<void()>> some;
      {
        const std::lock_guard lock(mutex);
        some.swap(jobs);
      }
      for (auto& job : some) job();
      trainers->tick(Clock::now());
      if (condition()) return true;
    }
    return false;
  }
  template <class Message>
  static const Message* as(const FromStager& message) {
    return std::visit([](const auto& way) { return find<Message>(way); }, message);
  }
  template <class Message>
  std::size_t heard() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(said, [](const auto& message) { return as<Message>(message) != nullptr; }));
  }
  template <class Message>
  Message last() const {
    const auto found =
        std::find_if(said.rbegin(), said.rend(), [](const auto& message) { return as<Message>(message) != nullptr; });
    BOOST_TEST_REQUIRE((found != said.rend()));
    return *as<Message>(*found);
  }
  HandOver handed(std::uint32_t rank, std::uint32_t place, pid_t pid = getpid()) {
    return {.stream = 0,
            .ring = place,
            .rank = rank,
            .world_size = 2,
            .who = "process " + std::to_string(pid) + " on here",
            .grant = {++generations, 1, Ledger(stager.drawn.streams[0].schedule(2).steps(), epochs)}};
  }
  RingKeeper& keeper(std::uint32_t place) const { return *rings->at(0, place); }
};

/// One trainer's end of the socket, its mapping of the ring, and its bell.
struct Visitor {
  House& house;
  ipc::Connection connection;
  ring::Welcome welcome;
  ipc::Fd memory;
  ipc::Bell bell;
  std::optional<ring::Consumer> consumer;

  /// Comes to a place whose ring is whole, as a trainer of this process or of another one.
  Visitor(House& h, std::uint32_t rank, std::uint32_t place, pid_t pid = getpid()) : house(h) {
    auto fds = call(pid);
    h.trainers->welcome(h.handed(rank, place, pid), std::move(fds));
    auto message = hear();
    welcome = std::get<ring::Welcome>(ring::decode_from_service(message.text));
    memory = std::move(message.fds.at(0));
    bell = ipc::Bell(std::move(message.fds.at(1)));
    consumer.emplace(memory, bell.duplicate(), welcome.fields,
                     ring::Geometry{welcome.ring_bytes, welcome.slots, welcome.batch, welcome.generation});
    memory.close();
  }
  /// One that has called, and is not welcome yet.
  explicit Visitor(House& h) : house(h) {}
  std::vector<ipc::Fd> call(pid_t pid) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
      throw_errno("socketpair");
    connection = ipc::Connection(ipc::Fd(ends[0]));
    std::vector<ipc::Fd> fds;
    fds.emplace_back(ends[1]);
    fds.push_back(ipc::open_pidfd(pid));
    return fds;
  }
  /// The next message from the service.
  ipc::Message hear() {
    ipc::Received received;
    BOOST_TEST_REQUIRE(house.until([&] { return (received = connection.receive()).what != ipc::Receipt::nothing; }));
    BOOST_TEST_REQUIRE((received.what == ipc::Receipt::message));
    return std::move(received.message);
  }
  /// Takes and returns so many batches.
  void work(int batches) {
    ring::Lease lease;
    for (int i = 0; i < batches; ++i) {
      BOOST_TEST_REQUIRE(house.until([&] { return consumer->try_acquire(lease) == ring::Acquired::batch; }));
      consumer->release(lease.slot, true);
    }
  }
  std::vector<std::uint64_t> take(std::size_t batches) {
    std::vector<std::uint64_t> taken;
    ring::Lease lease;
    while (taken.size() < batches) {
      BOOST_TEST_REQUIRE(house.until([&] { return consumer->try_acquire(lease) == ring::Acquired::batch; }));
      taken.push_back(lease.step);
    }
    return taken;
  }
};

int sleep_for_ever() {
  pause();
  return 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_is_thrown_out_and_lives_cannot_write_into_its_successors_batches) {
  House house;
  Visitor evicted(house, 0, 0);
  BOOST_TEST((evicted.take(2) == std::vector<std::uint64_t>{0, 1}));
  evicted.connection.send("nonsense");
  BOOST_TEST(house.until([&] { return house.heard<RingLeft>() == 1; }));
  BOOST_TEST((house.last<RingLeft>().state == RingKeeper::State::vacant));
  BOOST_TEST(house.last<RingRetired>().bytes == evicted.welcome.ring_bytes);
  BOOST_TEST(house.trainers->retired().size() == 1u);
  house.trainers->hear(MakeRing{0, 0});
  BOOST_TEST(house.until([&] { return house.heard<RingMade>() == 1; }));
  BOOST_TEST(house.last<RingMade>().error == "");
  Visitor successor(house, 0, 0);
  const auto taken = successor.take(4);  // all slots: nothing is filled meanwhile
  BOOST_TEST(taken[0] == 0u);
  const std::span all(successor.consumer->data(), successor.consumer->bytes());
  const std::vector<std::byte> before(all.begin(), all.end());
  const std::span old(evicted.consumer->data(), evicted.consumer->bytes());
  std::ranges::fill(old, std::byte{0xee});
  evicted.bell.ring();
  for (std::size_t f = 0; f < successor.welcome.fields.size(); ++f)
    for (std::uint32_t slot = 0; slot < 4; ++slot)
      BOOST_TEST((successor.consumer->field(slot, f) < old.data() ||
                  successor.consumer->field(slot, f) >= old.data() + old.size()));
  BOOST_TEST(std::equal(all.begin() + ring::page_bytes * 2, all.end(), before.begin() + ring::page_bytes * 2));
  // Once the process lets go of it, nothing of it is left.
  evicted.consumer.reset();
  BOOST_TEST(house.until([&] { return house.trainers->retired().empty(); }));
  BOOST_TEST(house.last<RingRetired>().bytes == 0);
}

BOOST_AUTO_TEST_CASE(a_goodbye_leaves_the_ring_to_the_next_at_once) {
  House house;
  const auto* ring = &house.keeper(0).ring();
  for (int life = 0; life < 3; ++life) {
    Visitor visitor(house, 0, 0);
    visitor.work(3);
    visitor.consumer.reset();
    visitor.connection.send(ring::encode(ring::Goodbye{}));
    BOOST_TEST(house.until([&] { return house.heard<RingLeft>() == static_cast<std::size_t>(life) + 1; }));
    BOOST_TEST((house.last<RingLeft>().state == RingKeeper::State::whole));
    BOOST_TEST(house.last<Left>().goodbye == true);
    BOOST_TEST(&house.keeper(0).ring() == ring);
  }
  BOOST_TEST(house.heard<RingRetired>() == 0u);
}

BOOST_AUTO_TEST_CASE(who_goes_back_from_the_end_has_not_finished) {
  House house(1);
  Visitor visitor(house, 0, 0);
  const auto steps = static_cast<int>(visitor.welcome.batches);
  visitor.work(steps);
  BOOST_TEST(house.until([&] { return house.heard<Finished>() == 1; }));
  BOOST_TEST(house.last<Finished>().finished == true);
  for (int round = 1; round <= 2; ++round) {
    const auto before = house.heard<Finished>();
    const auto sought = visitor.consumer->seek();
    visitor.connection.send(ring::encode(ring::Seek{sought.generation, 0, 0}));
    BOOST_TEST(house.until([&] { return house.heard<Finished>() == before + 1; }));
    BOOST_TEST((house.last<Finished>().finished == false && house.last<Finished>().generation == house.generations));
    visitor.work(steps);
    BOOST_TEST(house.until([&] { return house.heard<Finished>() == before + 2; }));
    BOOST_TEST(house.last<Finished>().finished == true);
  }
  // Only from there: not who goes back in the middle.
  Visitor other(house, 1, 1);
  other.work(3);
  other.connection.send(ring::encode(ring::Seek{other.consumer->seek().generation, 0, 0}));
  BOOST_TEST(house.until([&] { return house.heard<TrainerEpoch>() == 4; }));  // three whole ones, and what it left
  BOOST_TEST(house.heard<Finished>() == 5u);
}

BOOST_AUTO_TEST_CASE(a_goodbye_counts_that_stands_behind_other_words_of_a_process_that_has_ended) {
  House house;
  Child process(sleep_for_ever);
  Visitor visitor(house, 0, 0, process.pid());
  visitor.work(3);
  visitor.consumer.reset();
  visitor.connection.send(ring::encode(ring::AskFiles{}));
  visitor.connection.send(ring::encode(ring::Seek{visitor.welcome.generation + 1, 4, 0}));
  visitor.connection.send(ring::encode(ring::Goodbye{}));
  process.kill();
  process.wait();  // and something else has the socket, so that its end is not seen there
  BOOST_TEST(house.until([&] { return house.heard<Left>() == 1; }));
  BOOST_TEST(house.last<Left>().goodbye == true);
  BOOST_TEST((house.last<Left>().ledger.position() == Step{4, 0}));
}

BOOST_AUTO_TEST_CASE(a_moment_without_descriptors_costs_who_comes_in_it_alone) {
  House house;
  Visitor honest(house, 0, 0), late(house);
  // They were lost on the way from the leader.
  house.trainers->welcome(house.handed(1, 1), {});
  BOOST_TEST(house.last<Left>().rank == 1u);
  BOOST_TEST(house.last<Left>().generation == house.generations);
  BOOST_TEST(house.last<RingLeft>().ring == 1u);
  BOOST_TEST((house.last<RingLeft>().state == RingKeeper::State::whole));
  honest.work(3);
  // They came, and there is none for a bell.
  auto fds = late.call(getpid());
  {
    const DescriptorsLeft none(0);
    house.trainers->welcome(house.handed(1, 1), std::move(fds));
  }
  const auto refused = std::get<ring::Refused>(ring::decode_from_service(late.hear().text));
  BOOST_TEST(refused.text.find("Too many open files") != std::string::npos, refused.text);
  BOOST_TEST(house.until([&] { return house.heard<RingLeft>() == 2; }));
  honest.work(3);
}

BOOST_AUTO_TEST_CASE(a_bell_in_hostile_hands_stops_nobody) {
  House house;
  Visitor hostile(house, 1, 1), honest(house, 0, 0);
  const auto flags = fcntl(hostile.bell.fd(), F_GETFL);
  BOOST_REQUIRE_EQUAL(fcntl(hostile.bell.fd(), F_SETFL, flags & ~O_NONBLOCK), 0);
  for (int i = 0; i < 20; ++i) {
    hostile.bell.ring();
    hostile.bell.drain();
    honest.work(1);
  }
  for (int i = 0; i < 30'000; ++i) {  // more than are listened to
    hostile.bell.ring();
    house.poller.wait(0ms);
  }
  honest.work(20);
  hostile.work(20);  // and its own are still heard
}

/// A trainer that finds nothing to take rings, perhaps just when the stager has asked for a bell and nothing is back.
BOOST_AUTO_TEST_CASE(a_bell_with_nothing_returned_does_not_use_up_the_next_one) {
  House house;
  Visitor visitor(house, 0, 0);
  std::vector<ring::Lease> held(4);
  for (auto& lease : held)
    BOOST_TEST_REQUIRE(house.until([&] { return visitor.consumer->try_acquire(lease) == ring::Acquired::batch; }));
  BOOST_TEST_REQUIRE(house.until([&] { return house.keeper(0).ring().bell_is_armed(); }));
  visitor.consumer->wait(1ns);
  BOOST_TEST(house.poller.wait(1s) > 0);
  for (const auto& lease : held) visitor.consumer->release(lease.slot, true);
  // Without tick(), which looks by itself now and then.
  ring::Lease lease;
  bool came = false;
  for (int i = 0; i < 10'000 && !came; ++i) {
    house.poller.wait(1ms);
    came = visitor.consumer->try_acquire(lease) == ring::Acquired::batch;
  }
  BOOST_TEST(came);
}

BOOST_AUTO_TEST_CASE(questions_whose_answers_nobody_reads_cost_others_nothing) {
  House house;
  Visitor deaf(house, 1, 1), honest(house, 0, 0);
  const auto question = ring::encode(ring::AskFiles{});
  int asked = 0;
  for (int i = 0; i < 30; ++i) {
    while (deaf.connection.send(question) == ipc::Sent::sent) ++asked;
    honest.work(1);  // the stager listens to it, whatever it owes the other
  }
  BOOST_TEST(asked > 100);
  BOOST_TEST(house.heard<Left>() == 0u);
  // It still gets its answers, one by one, each with its descriptor, once it reads.
  int answers = 0;
  while (answers < asked) {
    const auto message = deaf.hear();
    BOOST_TEST(message.fds.size() == 1u);
    ++answers;
  }
  deaf.connection.send(ring::encode(ring::Goodbye{}));
  BOOST_TEST(house.until([&] { return house.heard<Left>() == 1; }));
  BOOST_TEST(house.last<Left>().goodbye == true);
}

BOOST_AUTO_TEST_CASE(one_question_about_saved_states_is_open_at_a_time) {
  House house;
  Visitor visitor(house, 0, 0);
  for (std::uint64_t number = 1; number <= 50; ++number)
    visitor.connection.send(ring::encode(ring::Agree{number, number, 0}));
  BOOST_TEST(house.until([&] { return house.heard<AskAgree>() == 1; }));
  for (int i = 0; i < 20; ++i) house.until([] { return true; });
  BOOST_TEST(house.heard<AskAgree>() == 1u);
  const auto question = house.last<AskAgree>();
  house.trainers->hear(AgreeAnswer{question.local, question.trainer, question.number, ""});
  BOOST_TEST(house.until([&] { return house.heard<AskAgree>() == 2; }));
}

BOOST_AUTO_TEST_CASE(a_trainer_that_dies_in_the_middle_of_its_questions_is_seen) {
  House house;
  Child process(sleep_for_ever);
  Visitor visitor(house, 0, 0, process.pid());
  while (visitor.connection.send(ring::encode(ring::AskFiles{})) == ipc::Sent::sent) house.until([] { return true; });
  visitor.consumer.reset();
  process.kill();
  process.wait();
  BOOST_TEST(house.until([&] { return house.heard<RingLeft>() == 1; }));
  BOOST_TEST((house.last<RingLeft>().state == RingKeeper::State::whole));
  BOOST_TEST(house.last<Left>().goodbye == false);
}

BOOST_AUTO_TEST_SUITE_END()
