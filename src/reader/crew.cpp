#include "reader/crew.hpp"

#include <algorithm>
#include <utility>

namespace headrace::reader {

Crew::Crew(unsigned threads) : helpers_(std::max(threads, 1u) - 1), workers_(helpers_) {}

std::unique_ptr<Bench> Crew::bench() {
  const Lock lock(mutex_);
  if (free_.empty()) return std::make_unique<Bench>();
  auto bench = std::move(free_.back());
  free_.pop_back();
  return bench;
}

void Crew::add(std::unique_ptr<Bench> bench, unsigned limit, Job job) {
  bool here = false;
  {
    const Lock lock(mutex_);
    here = pending_ >= std::min(limit, 2 * helpers_);
    if (!here) ++pending_;
  }
  if (here) {
    run(std::move(bench), job);
  } else {
    // std::function copies its content: the bench travels in a shared pointer, and the job takes it out.
    auto carried = std::make_shared<std::unique_ptr<Bench>>(std::move(bench));
    workers_.post([this, carried, job = std::move(job)] {
      run(std::move(*carried), job);
      const Lock lock(mutex_);
      --pending_;
      done_.notify_one();
    });
  }
  rethrow();
}

void Crew::run(std::unique_ptr<Bench> bench, const Job& job) {
  {
    const Lock lock(mutex_);
    if (failure_) return;
  }
  std::exception_ptr failure;
  try {
    job(*bench);
  } catch (...) {
    failure = std::current_exception();
  }
  const Lock lock(mutex_);
  if (failure && !failure_) failure_ = failure;
  free_.push_back(std::move(bench));
}

void Crew::finish() {
  {
    Lock lock(mutex_);
    while (pending_ > 0) done_.wait(lock);
  }
  rethrow();
}

void Crew::rethrow() {
  const Lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace headrace::reader
