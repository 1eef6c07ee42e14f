// How a trainer leaves: with a goodbye, without, or killed; and what becomes of the batches that it held.
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "../ipc/child.hpp"
#include "scripted.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(closing)

BOOST_AUTO_TEST_CASE(views_outlive_the_stream_and_the_next_use_of_its_memory) {
  Guesthouse house;
  house.publish(0), house.publish(1);
  std::atomic<bool> over{false};
  const Scripted service([&](auto& c) {
    house.let_in(c);
    while (!over) std::this_thread::yield();
  });
  Trainer trainer(service.name());
  hr_batch first = HR_BATCH_INIT, second = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(first) == HR_OK);
  BOOST_TEST(trainer.acquire(second) == HR_OK);
  BOOST_TEST(hr_release(trainer.stream, first.lease, 1) == HR_OK);
  const auto* x = static_cast<const float*>(second.data[0]);
  const auto* index = second.index;
  trainer.close(true, true);
  over = true;
  std::vector<ring::Returned> returned;
  BOOST_TEST(house.producer.collect(returned) == 2);  // what is held at a goodbye counts
  for (std::uint32_t slot = 0; slot < 3; ++slot)
    std::memset(house.producer.field(slot, 0), 0xee, house.producer.layout().bytes());
  const auto part = formula::part(100, 0, 0, 1, 10, 0, 1, false);
  for (std::size_t row = 0; row < 10; ++row) {
    BOOST_TEST(index[row] == part.samples[row]);
    BOOST_TEST(x[12 * row] == static_cast<float>(part.samples[row]));
  }
}

BOOST_AUTO_TEST_CASE(the_service_learns_how_a_trainer_left) {
  const FakeStager stager({"--log", "--slots", "2"});
  const auto next = [&] {
    auto line = stager.line();
    while (line.find("released") != std::string::npos) line = stager.line();
    return line;
  };
  {
    Trainer trainer(stager.name);
    hr_batch batch = HR_BATCH_INIT;
    BOOST_TEST(trainer.acquire(batch) == HR_OK);
    BOOST_TEST(hr_release(trainer.stream, batch.lease, 0) == HR_OK);
    BOOST_TEST(next() == "train 0 welcome");
    BOOST_TEST(next() == "train 0 discarded 0 0");
    trainer.close(true, false);
    BOOST_TEST(next() == "train 0 goodbye");
  }
  {
    const Trainer trainer(stager.name);
    BOOST_TEST(next() == "train 0 welcome");
    hr_seek(trainer.stream, 3, 4);
    BOOST_TEST(next() == "train 0 seek 3 4");
  }
  BOOST_TEST(next() == "train 0 gone");
}

BOOST_AUTO_TEST_CASE(what_a_dead_trainer_held_comes_again) {
  const FakeStager stager({"--log", "--slots", "4"});
  Child victim([&] {
    const Trainer trainer(stager.name);
    hr_batch batch[3] = {HR_BATCH_INIT, HR_BATCH_INIT, HR_BATCH_INIT};
    for (auto& each : batch)
      if (trainer.acquire(each) != HR_OK) return 1;
    std::memset(batch[0].data[0], 0xee, 480);
    std::memset(batch[2].data[0], 0xee, 480);
    hr_release(trainer.stream, batch[1].lease, 1);
    kill(getpid(), SIGKILL);
    return 0;
  });
  BOOST_TEST(victim.wait() == -SIGKILL);
  const Trainer heir(stager.name);
  BOOST_REQUIRE_EQUAL(heir.code, HR_OK);
  for (const std::uint64_t step : {0, 2, 3}) {
    hr_batch batch = HR_BATCH_INIT;
    BOOST_TEST(heir.acquire(batch) == HR_OK);
    BOOST_TEST(batch.step == step);
    BOOST_TEST(static_cast<const float*>(batch.data[0])[0] == static_cast<float>(batch.index[0]));
    hr_release(heir.stream, batch.lease, 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
