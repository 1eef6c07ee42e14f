// Decoders in Python, in processes of their own: a pool of them per decoder. decode() by any thread, each with a worker
// to itself while it lasts; no more than a given number of them run at a time.
//
// Errors name the decoder; what is wrong with one sample is told of that sample.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "inventory/python_sample.hpp"
#include "inventory/table.hpp"

namespace headrace::inventory {

class PythonWorker;

class PythonPool {
 public:
  /// table outlives this.
  PythonPool(PythonOptions options, const Table& table);
  ~PythonPool();

  /// made and failed are called in this thread, in order.
  void decode(const std::vector<PythonSample>& samples, const PythonMade& made, const PythonFailed& failed)
      EXCLUDES(mutex_);

  /// No more of them at a time, where the options leave it open.
  void at_most(unsigned workers) EXCLUDES(mutex_);
  /// Ends the processes; another decode() starts others.
  void rest() EXCLUDES(mutex_);

 private:
  std::unique_ptr<PythonWorker> take() EXCLUDES(mutex_);
  void give_back(std::unique_ptr<PythonWorker> worker) EXCLUDES(mutex_);

  const PythonOptions options_;
  const Table& table_;
  Mutex mutex_;
  Condition freed_;
  std::vector<std::unique_ptr<PythonWorker>> free_ GUARDED_BY(mutex_);
  unsigned most_ GUARDED_BY(mutex_) = 1;
  unsigned running_ GUARDED_BY(mutex_) = 0;  // free or at work
};

}  // namespace headrace::inventory
