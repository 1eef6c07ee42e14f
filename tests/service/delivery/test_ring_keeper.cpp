// Rings and who may still write to them: real memory, real processes.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <thread>

#include "ipc/child.hpp"
#include "ipc/descriptors_left.hpp"
#include "service/delivery/ring_keeper.hpp"

using namespace headrace;
using namespace headrace::service::delivery;
using namespace std::chrono_literals;
using State = RingKeeper::State;

BOOST_AUTO_TEST_SUITE(ring_keeper)

namespace {

std::unique_ptr<ring::Producer> make() {
  const Schema schema{{"x", DType::float32, {3}, {}, {}}};
  auto made = std::make_unique<ring::Producer>("test", schema, ring::Producer::ring_bytes(schema, 4, 2), 1);
  made->configure(4, 1);
  return made;
}

/// A process that maps the ring, and ends when told to.
struct Holder {
  std::array<int, 2> pipe{};
  std::optional<Child> child;
  explicit Holder(const ring::Producer& ring) {
    const auto memory = ring.for_trainer();
    BOOST_REQUIRE_EQUAL(pipe2(pipe.data(), O_CLOEXEC), 0);
    child.emplace([&] {
      const auto map = ipc::Mapping::map(memory, ring.bytes());
      close(pipe[1]);
      char end = 0;
      return static_cast<int>(read(pipe[0], &end, 1));
    });
    close(pipe[0]);
  }
  ~Holder() { close(pipe[1]); }
  Leaver leaver(bool goodbye = false) const {
    return {ipc::open_pidfd(child->pid()), "trainer 0 (process " + std::to_string(child->pid()) + " on n03)",
            "it sent nonsense", goodbye};
  }
  void end() {
    child->kill();
    child->wait();
  }
};

Leaver self(bool goodbye) {
  return {ipc::open_pidfd(getpid()), "trainer 0 (this process)", "it sent nonsense", goodbye};
}

struct Place {
  RingKeeper keeper{make()};
  Clock::time_point now = Clock::time_point{} + 1h;
  /// A trainer leaves; nothing of its memory is left behind but what holders have.
  State leave(Leaver leaver) {
    keeper.lend();
    keeper.back(std::move(leaver), now);
    keeper.look(now);
    return keeper.state();
  }
  /// The state once it is this one; a process that ended takes a moment to be unmapped.
  bool becomes(State state) {
    for (int i = 0; i < 20'000 && keeper.state() != state; ++i) {
      keeper.look(now);
      std::this_thread::sleep_for(1ms);
    }
    return keeper.state() == state;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(who_said_goodbye_leaves_a_ring_to_the_next) {
  Place place;
  const auto* ring = &place.keeper.ring();
  BOOST_TEST((place.leave(self(true)) == State::whole));
  BOOST_TEST(&place.keeper.ring() == ring);
  BOOST_TEST(!place.keeper.retired().has_value());
}

BOOST_AUTO_TEST_CASE(a_process_that_ended_leaves_a_ring_to_the_next) {
  Place place;
  Holder holder(place.keeper.ring());
  auto leaver = holder.leaver();
  holder.end();
  place.leave(std::move(leaver));
  BOOST_TEST(place.becomes(State::whole));
  BOOST_TEST(!place.keeper.retired().has_value());
}

BOOST_AUTO_TEST_CASE(who_was_thrown_out_and_lives_keeps_its_ring_to_itself) {
  Place place;
  Holder holder(place.keeper.ring());
  const auto bytes = place.keeper.bytes();
  BOOST_TEST((place.leave(holder.leaver()) == State::vacant));
  BOOST_TEST_REQUIRE(place.keeper.retired().has_value());
  BOOST_TEST(place.keeper.retired()->bytes == bytes);
  const auto text = place.keeper.retired()->text;
  BOOST_TEST(text.find("process " + std::to_string(holder.child->pid()) + " on n03") != std::string::npos, text);
  BOOST_TEST(text.find("lives on") != std::string::npos, text);
  place.keeper.put(make());
  BOOST_TEST((place.keeper.state() == State::whole));
  // It is told as long as that process lives, whoever has the place meanwhile.
  BOOST_TEST((place.leave(self(true)) == State::whole));
  BOOST_TEST(place.keeper.retired().has_value());
  holder.end();
  RingKeeper::Rubbish rubbish;
  while (place.keeper.retired().has_value()) rubbish = place.keeper.look(place.now);
  BOOST_TEST(static_cast<bool>(rubbish.memfd));
}

BOOST_AUTO_TEST_CASE(a_ring_settles_later_where_no_descriptor_is_left) {
  Place place;
  Holder holder(place.keeper.ring());
  {
    auto leaver = holder.leaver();
    const DescriptorsLeft none(0);
    BOOST_TEST((place.leave(std::move(leaver)) == State::settling));
    BOOST_TEST(!place.keeper.retired().has_value());
  }
  place.keeper.look(place.now);
  BOOST_TEST((place.keeper.state() == State::vacant));
  BOOST_TEST(place.keeper.retired().has_value());
}

BOOST_AUTO_TEST_CASE(a_thrown_out_process_that_unmapped_all_costs_no_memory) {
  Place place;
  BOOST_TEST((place.leave(self(false)) == State::vacant));  // it lives: not to be trusted with the same memory
  place.keeper.look(place.now);
  BOOST_TEST(!place.keeper.retired().has_value());
}

BOOST_AUTO_TEST_CASE(a_child_of_a_trainer_that_ended_still_has_its_memory) {
  Place place;
  Holder child(place.keeper.ring());  // what a fork handler or MADV_DONTFORK would have prevented
  Child parent([] { return 0; });
  Leaver leaver{ipc::open_pidfd(parent.pid()), "trainer 0", "its process ended", false};
  parent.wait();
  BOOST_TEST((place.leave(std::move(leaver)) == State::settling));  // it may just not be unmapped yet
  place.now += RingKeeper::settle_limit;
  place.keeper.look(place.now);
  BOOST_TEST((place.keeper.state() == State::vacant));
  BOOST_TEST(place.keeper.retired()->text.find("a child of it") != std::string::npos);
  child.end();
  while (place.keeper.retired().has_value()) place.keeper.look(place.now);
}

BOOST_AUTO_TEST_CASE(a_goodbye_is_not_believed_of_who_keeps_the_memory) {
  Place place;
  const Holder holder(place.keeper.ring());
  BOOST_TEST((place.leave(holder.leaver(true)) == State::settling));
  place.now += RingKeeper::settle_limit;
  place.keeper.look(place.now);
  BOOST_TEST((place.keeper.state() == State::vacant));
  BOOST_TEST(place.keeper.retired()->text.find("said goodbye, but") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_second_one_that_lives_on_blocks_the_place) {
  Place place;
  Holder first(place.keeper.ring());
  BOOST_TEST((place.leave(first.leaver()) == State::vacant));
  place.keeper.put(make());
  Holder second(place.keeper.ring());
  BOOST_TEST((place.leave(second.leaver()) == State::blocked));
  BOOST_TEST(place.keeper.retired()->text.find(std::to_string(first.child->pid())) != std::string::npos);
  place.keeper.look(place.now);
  BOOST_TEST((place.keeper.state() == State::blocked));
  first.end();
  BOOST_TEST(place.becomes(State::vacant));  // the second's ring takes the place of the first's
  BOOST_TEST(place.keeper.retired()->text.find(std::to_string(second.child->pid())) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_blocked_place_is_free_once_the_second_one_ends) {
  Place place;
  const Holder first(place.keeper.ring());
  place.leave(first.leaver());
  place.keeper.put(make());
  Holder second(place.keeper.ring());
  BOOST_TEST((place.leave(second.leaver()) == State::blocked));
  second.end();
  BOOST_TEST(place.becomes(State::whole));
  BOOST_TEST(place.keeper.retired()->text.find(std::to_string(first.child->pid())) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
