// A service that reads nothing: messages to it pile up until a send has to wait. Nobody else waits with it.
#include <sys/syscall.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "trainer.hpp"

namespace {

/// Returns when every thread of the process has stopped.
void stop(const FakeStager& stager) {
  kill(stager.pid, SIGSTOP);
  int status = 0;
  BOOST_REQUIRE_EQUAL(waitpid(stager.pid, &status, WUNTRACED), stager.pid);
  BOOST_REQUIRE(WIFSTOPPED(status));
}

/// Returns when that thread of ours sleeps in poll(): its message does not go out.
void until_it_polls(pid_t thread) {
  for (;;) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/syscall");
    long call = -1;
    if (file >> call && (call == SYS_poll || call == SYS_ppoll)) return;
    std::this_thread::yield();
  }
}

/// A thread that tells the service the same until a call does not succeed, or it is `enough`.
class Teller {
 public:
  explicit Teller(std::function<int()> call) {
    std::promise<pid_t> started;
    auto id = started.get_future();
    thread_ = std::thread([this, call, &started] {
      started.set_value(static_cast<pid_t>(syscall(SYS_gettid)));
      do code_ = call();
      while (code_ == HR_OK && !enough_);
    });
    id_ = id.get();
  }
  void until_it_waits() const { until_it_polls(id_); }
  int end() {
    enough_ = true;
    thread_.join();
    return code_;
  }

 private:
  std::thread thread_;
  pid_t id_ = 0;
  std::atomic<bool> enough_{false};
  int code_ = HR_OK;
};

void others_do_not_wait(const Trainer& trainer, std::uint32_t lease) {
  hr_stats stats = HR_STATS_INIT;
  hr_info info = HR_INFO_INIT;
  BOOST_TEST(hr_get_stats(trainer.stream, &stats) == HR_OK);
  BOOST_TEST(stats.held == 1u);
  BOOST_TEST(hr_get_info(trainer.stream, &info) == HR_OK);
  BOOST_TEST(hr_release(trainer.stream, lease, 1) == HR_OK);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(unread)

// Whoever waited with the sender would let it run into its limit, and it would not end well.
BOOST_AUTO_TEST_CASE(a_seek_that_cannot_be_told_holds_up_nobody) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  stop(stager);
  Teller seeker([&] { return hr_seek(trainer.stream, 3, 4); });
  seeker.until_it_waits();
  others_do_not_wait(trainer, batch.lease);
  hr_batch another = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(another, 0) == HR_TIMEOUT);
  kill(stager.pid, SIGCONT);
  BOOST_TEST(seeker.end() == HR_OK);
  BOOST_TEST(trainer.acquire(another) == HR_OK);
  BOOST_TEST((another.epoch == 3 && another.step == 4));
}

BOOST_AUTO_TEST_CASE(a_question_that_cannot_be_told_holds_up_nobody) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  stop(stager);
  // Each is told, and given up without an answer; until one is not told.
  Teller asker([&] {
    const int code = hr_resume(trainer.stream, 0, 0, 0);
    return code == HR_TIMEOUT ? HR_OK : code;
  });
  asker.until_it_waits();
  others_do_not_wait(trainer, batch.lease);
  kill(stager.pid, SIGCONT);
  BOOST_TEST(asker.end() == HR_OK);
}

BOOST_AUTO_TEST_CASE(closing_ends_a_seek_that_cannot_be_told) {
  const FakeStager stager({});
  Trainer trainer(stager.name);
  stop(stager);
  Teller seeker([stream = trainer.stream] { return hr_seek(stream, 3, 4); });
  seeker.until_it_waits();
  trainer.close(false, false);
  BOOST_TEST(seeker.end() == HR_CLOSED);
}

BOOST_AUTO_TEST_SUITE_END()
