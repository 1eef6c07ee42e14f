// Waits end with a signal, and with the closing of the stream.
#include <atomic>
#include <thread>

#include "interrupt.hpp"
#include "trainer.hpp"

BOOST_AUTO_TEST_SUITE(waits)

BOOST_AUTO_TEST_CASE(a_signal_ends_a_wait_for_a_batch) {
  const Signals signals;
  const FakeStager stager({"--delay-ms", "100000000"});
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  std::atomic<bool> done{false};
  int code = HR_OK;
  std::thread waiter([&] {
    code = trainer.acquire(batch, -1);
    done = true;
  });
  Signals::at(waiter, done);
  BOOST_TEST(code == HR_INTERRUPTED);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_wait_for_a_service) {
  const Signals signals;
  const FakeStager loading({"--load-ms", "100000000"});
  for (const auto& name : {std::string("nobody"), loading.name}) {
    std::atomic<bool> done{false};
    int code = HR_OK;
    std::thread waiter([&] {
      code = Trainer(name, -1).code;
      done = true;
    });
    Signals::at(waiter, done);
    BOOST_TEST(code == HR_INTERRUPTED);
  }
}

BOOST_AUTO_TEST_CASE(closing_ends_the_wait_of_another_thread) {
  const FakeStager stager({"--delay-ms", "100000000"});
  Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  int code = HR_OK;
  std::thread waiter([&, stream = trainer.stream] {
    hr_batch another = HR_BATCH_INIT;
    code = hr_acquire(stream, -1, &another);
  });
  until_another_waits(trainer);
  trainer.close(true, false);
  waiter.join();
  BOOST_TEST(code == HR_CLOSED);
}

BOOST_AUTO_TEST_CASE(errors_belong_to_the_thread_that_made_them) {
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(hr_acquire(nullptr, 0, &batch) == HR_INVALID);
  std::thread([] { BOOST_TEST(std::string(hr_error()).empty()); }).join();
  BOOST_TEST(error_says("NULL"));
}

BOOST_AUTO_TEST_SUITE_END()
