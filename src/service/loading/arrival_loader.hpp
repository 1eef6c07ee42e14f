// The thread of a stager that brings its rows to memory while trainers are served (start = early): window after window,
// each once. It alone calls HDF5 once it runs.
//
//   read_first(0) --> windows 0, 1, 2 ... --> loaded(w) of each
//   read_first(5)     somebody waits for that one: 5, 6, 7 ... as soon as the one in hand is there, then the others
//
// read_first() from any thread; before the first one nothing is read. Events come from the thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "reader/load.hpp"
#include "service/loading/window_load.hpp"
#include "store/node_store.hpp"

namespace headrace::service::loading {

class ArrivalLoader {
 public:
  struct Events {
    std::function<void(std::uint64_t window, std::uint64_t bytes)> loaded;  ///< bytes: of the files
    /// How far a window is, now and then.
    std::function<void(std::uint64_t window, std::uint64_t done, std::uint64_t total)> progress;
    std::function<void(const std::string& what)> failed;  ///< nothing more is read
  };

  ArrivalLoader(const WindowSource& source, store::NodeStore& store, reader::LoadOptions options, Events events);
  ~ArrivalLoader();
  ArrivalLoader(const ArrivalLoader&) = delete;
  ArrivalLoader& operator=(const ArrivalLoader&) = delete;

  void read_first(std::uint64_t window) EXCLUDES(mutex_);

 private:
  void run();
  /// The next one, once it is known; nothing: all are there, or it is over.
  std::optional<std::uint64_t> next() EXCLUDES(mutex_);
  void read(std::uint64_t window);

  const WindowSource source_;
  const reader::LoadOptions options_;
  const Events events_;
  std::vector<std::byte*> columns_;  // of this stager's memory
  bool told_ways_ = false;           // the thread's
  std::atomic<bool> quit_ = false;
  Mutex mutex_;
  Condition changed_;
  std::optional<std::uint64_t> first_ GUARDED_BY(mutex_);
  std::vector<bool> there_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace headrace::service::loading
