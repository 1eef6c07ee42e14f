#include "service/loading/arrival_loader.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>

#include "base/clock.hpp"
#include "base/contract.hpp"
#include "log/log.hpp"

namespace headrace::service::loading {

namespace {

/// The service is at its end: what is being read is not wanted any more.
struct Over {};

}  // namespace

ArrivalLoader::ArrivalLoader(const WindowSource& source, store::NodeStore& store, reader::LoadOptions options,
                             Events events)
    : source_(source),
      options_(std::move(options)),
      events_(std::move(events)),
      there_(source.blueprint.arrival->windows()) {
  for (std::size_t f = 0; f < source.blueprint.schema.size(); ++f)
    columns_.push_back(store.column(source.topology.local(), f));
  thread_ = std::jthread([this] { run(); });
}

ArrivalLoader::~ArrivalLoader() {
  {
    const Lock lock(mutex_);
    quit_.store(true, std::memory_order_relaxed);  // a flag alone
  }
  changed_.notify_all();
}

void ArrivalLoader::read_first(std::uint64_t window) {
  {
    const Lock lock(mutex_);
    EXPECTS(window < there_.size());
    first_ = window;
  }
  changed_.notify_all();
}

std::optional<std::uint64_t> ArrivalLoader::next() {
  Lock lock(mutex_);
  while (!quit_.load(std::memory_order_relaxed) && !first_) changed_.wait(lock);
  if (quit_.load(std::memory_order_relaxed)) return std::nullopt;
  for (std::size_t i = 0; i < there_.size(); ++i)
    if (const auto window = (*first_ + i) % there_.size(); !there_[window]) return window;
  return std::nullopt;
}

void ArrivalLoader::run() {
  pthread_setname_np(pthread_self(), "loader");
  try {
    while (const auto window = next()) {
      read(*window);
      const Lock lock(mutex_);
      there_[*window] = true;
    }
  } catch (const Over&) {  // nobody is there any more who would hear of it
  } catch (const std::exception& error) {
    events_.failed(error.what());
  }
}

void ArrivalLoader::read(std::uint64_t window) {
  const auto& blueprint = source_.blueprint;
  const auto mine = blueprint.arrival->blocks_of(window, source_.topology.me(), blueprint.blocks, blueprint.placement);
  auto options = options_;
  auto told = Clock::now() - news_every;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (quit_.load(std::memory_order_relaxed)) throw Over();
    if (Clock::now() - told < news_every) return;
    told = Clock::now();
    events_.progress(window, done, total);
  };
  const auto report =
      WindowLoad(source_, blueprint.placement.stored(), mine, columns_, WindowLoad::Memory::fresh).run(options);
  if (!told_ways_ && !mine.empty()) {
    told_ways_ = true;
    for (const auto& dataset : report.datasets) log::info("  {}: {}", dataset.path, dataset.text);
  }
  events_.loaded(window, report.bytes);
}

}  // namespace headrace::service::loading
