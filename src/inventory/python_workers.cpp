#include "inventory/python_workers.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "inventory/python_worker.hpp"

namespace headrace::inventory {

PythonPool::PythonPool(PythonOptions options, const Table& table) : options_(std::move(options)), table_(table) {
  at_most(1);
}
PythonPool::~PythonPool() = default;

std::unique_ptr<PythonWorker> PythonPool::take() {
  {
    Lock lock(mutex_);
    while (free_.empty() && running_ >= most_) freed_.wait(lock);
    if (!free_.empty()) {
      auto worker = std::move(free_.back());
      free_.pop_back();
      return worker;
    }
    ++running_;
  }
  try {
    return std::make_unique<PythonWorker>(options_, table_);
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

/// nullptr: it is no more.
void PythonPool::give_back(std::unique_ptr<PythonWorker> worker) {
  const Lock lock(mutex_);
  if (worker)
    free_.push_back(std::move(worker));
  else
    --running_;
  freed_.notify_one();
}

void PythonPool::decode(const std::vector<PythonSample>& samples, const PythonMade& made, const PythonFailed& failed) {
  auto worker = take();
  auto done = std::size_t{0};
  try {
    done = worker->decode(samples, made, failed);
  } catch (...) {
    give_back(nullptr);  // it still has answers for us
    throw;
  }
  const bool alive = done == samples.size();
  const auto why = alive ? "" : worker->end();
  give_back(alive ? std::move(worker) : nullptr);
  if (alive) return;
  if (samples.size() == 1) return failed(0, why);
  // Which of them it was: one by one.
  for (auto i = done; i < samples.size(); ++i)
    decode(
        {samples[i]}, [&](std::size_t, std::string_view npy) { made(i, npy); },
        [&](std::size_t, const std::string& its) { failed(i, its); });
}

void PythonPool::at_most(unsigned workers) {
  const Lock lock(mutex_);
  most_ = std::max(1u, options_.workers > 0 ? options_.workers : workers);
}

void PythonPool::rest() {
  const Lock lock(mutex_);
  running_ -= static_cast<unsigned>(free_.size());
  free_.clear();
}

}  // namespace headrace::inventory
