// Fetchers for several threads: each takes one, and gives it back with its connections open.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "fetch/fetcher.hpp"

namespace headrace::inventory {

class Fetchers {
 public:
  /// Together they hold the connections of the settings.
  Fetchers(const fetch::Settings& settings, unsigned threads);
  std::unique_ptr<fetch::Fetcher> take() EXCLUDES(mutex_);
  void give_back(std::unique_ptr<fetch::Fetcher> fetcher) EXCLUDES(mutex_);

 private:
  fetch::Settings settings_;
  Mutex mutex_;
  std::vector<std::unique_ptr<fetch::Fetcher>> free_ GUARDED_BY(mutex_);
};

}  // namespace headrace::inventory
