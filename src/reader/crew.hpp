// Threads that work for one load, with the caller as one of them.
//
//   1. add() and finish() are called by the caller's thread alone; jobs run in any.
//   2. The first exception of a job stops what has not begun and is thrown by the next add() or finish().
//   3. No more than `limit` jobs wait or run in helpers at a time: what jobs hold in memory is bounded.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "base/workers.hpp"
#include "reader/decode.hpp"

namespace headrace::reader {

/// What a job needs at hand, kept from job to job: memory already faulted in.
struct Bench {
  std::vector<std::byte> stored, plain, band;
  Decoder decoder;
};

class Crew {
 public:
  using Job = std::function<void(Bench&)>;

  explicit Crew(unsigned threads);
  // Destroyed before finish(): waits for the jobs in hand and drops the others.

  unsigned threads() const { return helpers_ + 1; }
  /// A bench that is free; the caller prepares it for the job that gets it.
  std::unique_ptr<Bench> bench();
  /// Runs the job in a helper, or here where `limit` jobs are already on their way.
  void add(std::unique_ptr<Bench> bench, unsigned limit, Job job);
  /// Waits until all jobs are done.
  void finish();

 private:
  void run(std::unique_ptr<Bench> bench, const Job& job);
  void rethrow();

  unsigned helpers_;
  Mutex mutex_;
  Condition done_;
  std::vector<std::unique_ptr<Bench>> free_ GUARDED_BY(mutex_);
  unsigned pending_ GUARDED_BY(mutex_) = 0;
  std::exception_ptr failure_ GUARDED_BY(mutex_);
  Workers workers_;  // last: its threads end before what they use
};

}  // namespace headrace::reader
