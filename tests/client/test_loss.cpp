// Stagers that die or stop: who notices when, and what is said.
#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <variant>

#include "../ipc/child.hpp"
#include "interrupt.hpp"
#include "scripted.hpp"

using namespace headrace;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(loss)

BOOST_AUTO_TEST_CASE(a_killed_stager_is_named) {
  FakeStager stager({"--die-after", "6", "--slots", "2"});
  const auto pid = stager.pid;
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  int code = HR_OK;
  while ((code = trainer.acquire(batch)) == HR_OK) hr_release(trainer.stream, batch.lease, 1);
  BOOST_TEST(code == HR_LOST);
  BOOST_TEST(error_says("is gone: stager 0 (pid " + std::to_string(pid) + " on fakehost) ended without a word"));
  BOOST_TEST(trainer.acquire(batch) == HR_LOST);  // for good
  BOOST_TEST(hr_seek(trainer.stream, 0, 0) == HR_LOST);
  BOOST_TEST(stager.wait() == -SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_stager_killed_while_a_trainer_waits_is_noticed) {
  FakeStager stager({"--delay-ms", "100000000"});
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  std::thread killer([&] { stager.kill(); });
  BOOST_TEST(trainer.acquire(batch, -1) == HR_LOST);
  killer.join();
}

BOOST_AUTO_TEST_CASE(batches_left_by_a_dead_stager_do_not_hide_its_death) {
  FakeStager stager({"--slots", "8"});
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  stager.kill();
  stager.wait();
  int code = HR_OK, left = 0;
  while ((code = trainer.acquire(batch, 0)) == HR_OK && ++left < 8) std::this_thread::sleep_for(210ms);  // "training"
  BOOST_TEST(code == HR_LOST);
  BOOST_TEST(left <= 1);
}

BOOST_AUTO_TEST_CASE(the_pidfd_tells_when_the_socket_does_not) {
  Guesthouse house;
  Child stager([] {
    pause();
    return 0;
  });
  const auto pidfd = ipc::open_pidfd(stager.pid());
  std::atomic<bool> over{false};
  const Scripted service([&](auto& c) {
    house.let_in(c, pidfd.get());
    while (!over) std::this_thread::yield();  // someone still holds the socket
  });
  const Trainer trainer(service.name());
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch, 0) == HR_TIMEOUT);
  stager.kill();
  BOOST_TEST(trainer.acquire(batch, -1) == HR_LOST);
  over = true;
}

BOOST_AUTO_TEST_CASE(a_service_that_stops_says_why) {
  FakeStager stager({"--stop-after", "1"});
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(stager.wait() == 0);
  int code = HR_OK;
  while ((code = trainer.acquire(batch)) == HR_OK) hr_release(trainer.stream, batch.lease, 1);
  BOOST_TEST(code == HR_LOST);
  BOOST_TEST(error_says("has ended: stopped after 1 batches"));
}

/// Also to a trainer that learns by speaking, not by listening, that nobody is there any more.
BOOST_AUTO_TEST_CASE(a_service_that_has_stopped_says_why_to_whoever_speaks) {
  for (const bool seeks : {true, false}) {
    FakeStager stager({"--stop-after", "1"});
    const Trainer trainer(stager.name);
    BOOST_TEST(stager.wait() == 0);
    BOOST_TEST((seeks ? hr_seek(trainer.stream, 0, 1) : hr_resume(trainer.stream, 0, 1, 60)) == HR_LOST);
    BOOST_TEST(error_says("has ended: stopped after 1 batches"));
    hr_batch batch = HR_BATCH_INIT;
    BOOST_TEST(trainer.acquire(batch) == HR_LOST);
    BOOST_TEST(error_says("has ended: stopped after 1 batches"));
  }
}

/// What a service of two replicas has, of which this is the first and the other never comes.
struct House : Guesthouse {
  std::array<ipc::Fd, 2> lanes;

  House() : Guesthouse(2) {
    for (std::uint32_t replica = 0; replica < 2; ++replica) lanes[replica] = producer.join(replica);
  }
  void let_in(const ipc::Connection& connection) const {
    const auto memory = producer.for_trainer();
    say(connection, encode(welcome), {memory.get(), bell.fd(), self.get(), lanes[0].get()});
  }
};

/// Its process lives on, as one that waits for others does: only the connection tells.
BOOST_AUTO_TEST_CASE(a_seek_of_a_replica_hears_why_the_service_ends) {
  House house;
  const Scripted service([&](auto& c) {
    house.let_in(c);
    static_cast<void>(c.receive(1h));
    say(c, encode(ring::Dying{"a test ended it"}));
    c.close();
  });
  const Trainer trainer(service.name());
  BOOST_TEST_REQUIRE(trainer.code == HR_OK, trainer.error);
  BOOST_TEST(hr_seek(trainer.stream, 0, 5) == HR_LOST);
  BOOST_TEST(error_says("has ended: a test ended it"));
}

BOOST_AUTO_TEST_CASE(a_seek_of_a_replica_that_a_signal_ends_goes_on_as_the_same_seek) {
  House house;
  const Signals signals;
  std::atomic<bool> again{false};
  const Scripted service([&](auto& c) {
    house.let_in(c);
    const auto heard = c.receive(1h);
    const auto seek = std::get<ring::Seek>(ring::decode_from_client(heard.message.text));
    while (!again) std::this_thread::yield();
    house.producer.lead(seek.generation, seek.taken);
    BOOST_TEST((c.receive(1h).what == ipc::Receipt::closed));  // it says nothing else
  });
  const Trainer trainer(service.name());
  BOOST_TEST_REQUIRE(trainer.code == HR_OK, trainer.error);
  std::atomic<bool> done{false};
  int code = HR_OK;
  std::thread seeker([&] {
    code = hr_seek(trainer.stream, 0, 5);
    done = true;
  });
  Signals::at(seeker, done);
  BOOST_TEST(code == HR_INTERRUPTED);
  again = true;
  while ((code = hr_seek(trainer.stream, 0, 5)) == HR_INTERRUPTED) {
  }
  BOOST_TEST(code == HR_OK);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_stream_counts_more_than_that_of_its_service) {
  FakeStager stager({"--rows", "20", "--batch", "10", "--epochs", "1"});
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(trainer.acquire(batch) == HR_OK);
    hr_release(trainer.stream, batch.lease, 1);
  }
  stager.kill();
  stager.wait();
  BOOST_TEST(trainer.acquire(batch) == HR_END);
}

BOOST_AUTO_TEST_SUITE_END()
