#include "base/workers.hpp"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace headrace {

Workers::Workers(unsigned threads) {
  // Signals belong to the thread that waits for them; threads inherit the mask of their maker.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Workers::~Workers() {
  {
    const Lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Workers::post(std::function<void()> job) {
  {
    const Lock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Workers::post_first(std::function<void()> job) {
  {
    const Lock lock(mutex_);
    jobs_.push_front(std::move(job));
  }
  wake_.notify_one();
}

void Workers::work() {
  pthread_setname_np(pthread_self(), "worker");  // `top -H` tells who is busy
  Lock lock(mutex_);
  for (;;) {
    if (!stop_ && jobs_.empty()) {
      idle_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a hint (any_idle)
      while (!stop_ && jobs_.empty()) wake_.wait(lock);
      idle_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
    }
    if (stop_) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it holds goes before the next wait
    lock.lock();
  }
}

}  // namespace headrace
