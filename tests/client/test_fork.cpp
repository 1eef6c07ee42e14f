// Trainers that fork: the child's stream is dead, the parent's goes on, and nobody mistakes the one for the other.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "../ipc/child.hpp"
#include "trainer.hpp"

namespace {

bool mapped(const void* at) {
  unsigned char resident = 0;
  return mincore(const_cast<void*>(at), 4096, &resident) == 0;
}

/// What a forked child of a trainer finds. 0 if all is as it should be.
int look_around(const Trainer& trainer, const hr_batch& held, const hr_info& before) {
  hr_batch batch = HR_BATCH_INIT;
  hr_info info = HR_INFO_INIT;
  hr_stats stats = HR_STATS_INIT;
  if (hr_acquire(trainer.stream, -1, &batch) != HR_FORKED) return 1;
  if (hr_release(trainer.stream, held.lease, 1) != HR_FORKED) return 2;
  if (hr_seek(trainer.stream, 0, 0) != HR_FORKED) return 3;
  if (hr_get_info(trainer.stream, &info) != HR_FORKED) return 4;
  if (hr_get_stats(trainer.stream, &stats) != HR_FORKED) return 5;
  if (hr_resume(trainer.stream, 0, 0, -1) != HR_FORKED) return 9;
  const hr_file* const* files = nullptr;
  std::size_t count = 0;
  if (hr_files(trainer.stream, &files, &count) != HR_FORKED) return 8;
  if (std::string(hr_error()).find("num_workers=0") == std::string::npos) return 6;
  if (mapped(before.ring)) return 7;
  hr_close(trainer.stream, 1, 0);
  hr_close(trainer.stream, 0, 1);
  return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forks)

BOOST_AUTO_TEST_CASE(a_childs_stream_is_dead_and_the_parents_goes_on) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  hr_batch held = HR_BATCH_INIT, batch = HR_BATCH_INIT;
  hr_info info = HR_INFO_INIT;
  BOOST_TEST(trainer.acquire(held) == HR_OK);
  BOOST_TEST(hr_get_info(trainer.stream, &info) == HR_OK);
  BOOST_TEST(Child([&] { return look_around(trainer, held, info); }).wait() == 0);
  BOOST_TEST(mapped(info.ring));
  BOOST_TEST(static_cast<const float*>(held.data[0])[0] == static_cast<float>(held.index[0]));
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  BOOST_TEST(batch.step == 1);
  BOOST_TEST(hr_release(trainer.stream, held.lease, 1) == HR_OK);
}

BOOST_AUTO_TEST_CASE(a_fork_in_the_middle_of_a_wait_hurts_neither_side) {
  const FakeStager stager({"--delay-ms", "100000000"});
  Trainer trainer(stager.name);
  hr_batch held = HR_BATCH_INIT;
  hr_info info = HR_INFO_INIT;
  BOOST_TEST(trainer.acquire(held) == HR_OK);
  BOOST_TEST(hr_get_info(trainer.stream, &info) == HR_OK);
  std::thread waiter([stream = trainer.stream] {
    hr_batch batch = HR_BATCH_INIT;
    hr_acquire(stream, -1, &batch);
  });
  until_another_waits(trainer);
  for (int i = 0; i < 5; ++i) BOOST_TEST(Child([&] { return look_around(trainer, held, info); }).wait() == 0);
  trainer.close(true, false);
  waiter.join();
}

namespace {

/// Threads of a trainer that are in any of its calls at any moment.
class Busy {
 public:
  Busy(hr_stream* stream, const std::string& another_service) {
    start([stream] {
      hr_batch batch = HR_BATCH_INIT;
      if (hr_acquire(stream, 1, &batch) == HR_OK) hr_release(stream, batch.lease, 1);
    });
    start([stream] { hr_seek(stream, 1, 2); });
    start([stream] {
      hr_stats stats = HR_STATS_INIT;
      hr_info info = HR_INFO_INIT;
      const hr_file* const* files = nullptr;
      std::size_t count = 0;
      hr_get_stats(stream, &stats);
      hr_get_info(stream, &info);
      hr_files(stream, &files, &count);
      hr_resume(stream, 0, 3, 1);
    });
    start([another_service] { Trainer(another_service).close(true, false); });
  }
  ~Busy() {
    over_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  void start(std::function<void()> call) {
    threads_.emplace_back([this, call = std::move(call)] {
      while (!over_) call();
    });
  }
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

// A lock that a thread of the parent held is held for ever in the child: a call that took one there would hang.
#if !defined(__SANITIZE_ADDRESS__)  // its allocator may be locked in the child of a process with threads
BOOST_AUTO_TEST_CASE(a_fork_in_the_middle_of_any_call_hurts_neither_side) {
  const FakeStager stager({}), another({}), childrens({});
  const Trainer trainer(stager.name);
  hr_batch held = HR_BATCH_INIT, batch = HR_BATCH_INIT;
  hr_info info = HR_INFO_INIT;
  BOOST_TEST(trainer.acquire(held) == HR_OK);
  BOOST_TEST(hr_get_info(trainer.stream, &info) == HR_OK);
  {
    const Busy busy(trainer.stream, another.name);
    for (int i = 0; i < 20; ++i) {
      Child child([&] {
        if (const int wrong = look_around(trainer, held, info); wrong != 0) return wrong;
        for (;;) {
          Trainer own(childrens.name);
          if (own.code == HR_REFUSED) continue;  // the child before is still being seen off
          hr_batch first = HR_BATCH_INIT;
          const int code = own.code == HR_OK ? own.acquire(first) : own.code;
          own.close(true, false);
          return code == HR_OK ? 0 : 100 + code;
        }
      });
      BOOST_TEST(child.wait() == 0);
    }
  }
  BOOST_TEST(hr_release(trainer.stream, held.lease, 1) == HR_OK);
  BOOST_TEST(hr_seek(trainer.stream, 2, 7) == HR_OK);
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  BOOST_TEST((batch.epoch == 2 && batch.step == 7));
}
#endif

BOOST_AUTO_TEST_CASE(a_child_may_connect_itself) {
  const FakeStager stager({"--streams", "train"});
  const FakeStager other({});
  const Trainer trainer(stager.name);
  Child child([&] {
    const Trainer own(other.name);
    hr_batch batch = HR_BATCH_INIT;
    return own.acquire(batch);
  });
  BOOST_TEST(child.wait() == HR_OK);
}

namespace {

/// A trainer that leaves a child behind, made by `make_child`, and is killed: the service must notice all the same.
void is_noticed(const std::function<pid_t()>& make_child) {
  FakeStager stager({"--once"});
  int ends[2];
  BOOST_REQUIRE_EQUAL(pipe2(ends, O_CLOEXEC), 0);
  Child trainer([&] {
    const Trainer own(stager.name);
    hr_batch batch = HR_BATCH_INIT;
    if (own.acquire(batch) != HR_OK) return 1;
    const pid_t child = make_child();
    if (child == 0)
      for (;;) pause();
    if (child < 0) return 3;
    if (write(ends[1], &child, sizeof child) != sizeof child) return 2;
    pause();
    return 0;
  });
  close(ends[1]);
  pid_t grandchild = -1;
  BOOST_REQUIRE_EQUAL(read(ends[0], &grandchild, sizeof grandchild), sizeof grandchild);
  close(ends[0]);
  trainer.kill();
  BOOST_TEST(stager.wait() == 0);  // it ends when its last trainer is gone
  BOOST_REQUIRE(grandchild > 0);
  BOOST_TEST(kill(grandchild, 0) == 0);
  kill(grandchild, SIGKILL);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_trainer_whose_child_lives_on_is_seen_to_die) {
  is_noticed([] { return fork(); });
}

BOOST_AUTO_TEST_CASE(even_if_the_child_kept_the_socket) {
  is_noticed([] { return static_cast<pid_t>(syscall(SYS_fork)); });  // past the fork handlers
}

BOOST_AUTO_TEST_SUITE_END()
