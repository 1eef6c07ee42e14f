#include <pthread.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <vector>

#include "base/workers.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(workers)

BOOST_AUTO_TEST_CASE(every_job_runs_once_from_any_thread) {
  constexpr int posters = 3, jobs = 500;
  std::vector<std::atomic<int>> ran(posters * jobs * 2);
  std::latch all(posters * jobs * 2);
  Workers workers(4);
  BOOST_TEST(workers.size() == 4u);
  std::vector<std::jthread> threads;
  for (int p = 0; p < posters; ++p)
    threads.emplace_back([&, p] {
      for (int j = 0; j < jobs; ++j) {
        const auto number = static_cast<std::size_t>(p * jobs + j) * 2;
        workers.post([&, number] {  // a job posts a job
          ++ran[number];
          workers.post_first([&, number] {
            ++ran[number + 1];
            all.count_down();
          });
          all.count_down();
        });
      }
    });
  all.wait();
  std::size_t once = 0;
  for (const auto& count : ran) once += count == 1;
  BOOST_TEST(once == ran.size());
}

BOOST_AUTO_TEST_CASE(in_order_but_for_the_urgent) {
  std::vector<int> order;
  std::promise<void> go, done;
  Workers one(1);
  one.post([&] { go.get_future().wait(); });
  for (int i = 0; i < 3; ++i) one.post([&, i] { order.push_back(i); });
  one.post_first([&] { order.push_back(100); });
  one.post([&] { done.set_value(); });
  go.set_value();
  done.get_future().wait();
  BOOST_TEST((order == std::vector{100, 0, 1, 2}));
}

BOOST_AUTO_TEST_CASE(the_end_waits_for_jobs_in_hand_and_drops_the_rest) {
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> watch = held;
  std::promise<void> begun, end;
  std::atomic<bool> finished = false, dropped_ran = false;
  std::jthread releaser;
  {
    Workers one(1);
    one.post([&] {
      begun.set_value();
      end.get_future().wait();
      finished = true;
    });
    one.post([&dropped_ran, held] { dropped_ran = true; });
    held.reset();
    begun.get_future().wait();
    BOOST_TEST(!watch.expired());
    releaser = std::jthread([&] { end.set_value(); });
  }
  // The second job may still have run if the end came late; either way nothing of it is left.
  BOOST_TEST(finished);
  BOOST_TEST(watch.expired());
}

BOOST_AUTO_TEST_CASE(what_a_job_holds_goes_when_it_has_run) {
  Workers one(1);
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> watch = held;
  one.post([held] {});
  held.reset();
  std::promise<void> next;  // the job behind it: by then the first must have let go
  one.post([&] { next.set_value(); });
  next.get_future().wait();
  BOOST_TEST(watch.expired());
}

BOOST_AUTO_TEST_CASE(signals_are_for_others) {
  Workers one(1);
  std::promise<bool> blocked;
  one.post([&] {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked.set_value(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1);
  });
  BOOST_TEST(blocked.get_future().get());
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  BOOST_TEST(sigismember(&mine, SIGTERM) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
