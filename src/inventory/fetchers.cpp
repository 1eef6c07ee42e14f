#include "inventory/fetchers.hpp"

#include <algorithm>

namespace headrace::inventory {

Fetchers::Fetchers(const fetch::Settings& settings, unsigned threads) : settings_(settings) {
  settings_.connections = std::max(1u, settings.connections / std::max(1u, threads));
}

std::unique_ptr<fetch::Fetcher> Fetchers::take() {
  {
    const Lock lock(mutex_);
    if (!free_.empty()) {
      auto fetcher = std::move(free_.back());
      free_.pop_back();
      return fetcher;
    }
  }
  return std::make_unique<fetch::Fetcher>(settings_);
}

void Fetchers::give_back(std::unique_ptr<fetch::Fetcher> fetcher) {
  const Lock lock(mutex_);
  free_.push_back(std::move(fetcher));
}

}  // namespace headrace::inventory
