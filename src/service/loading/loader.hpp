// The thread of a stager that reads windows while others deliver: what stager 0 says is wanted, the first of two windows
// before the second, of all streams. It alone calls HDF5 once it runs.
//
//   read(order) --> (what is there stays, what nobody wants is dropped) --> loaded(first) --> loaded(both)
//
// read() from any thread; events come from the loader's. An order that overtakes another ends what is read for that,
// unless it is still wanted.
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
#include "service/blueprint/windowing.hpp"
#include "service/loading/window_load.hpp"
#include "store/node_store.hpp"

namespace headrace::service::loading {

class Loader {
 public:
  struct Order {
    std::uint32_t stream = 0;
    std::uint64_t turn = 0;  ///< grows; older ones are forgotten
    plan::EpochWindow at;
    std::optional<plan::EpochWindow> next{};
    std::uint32_t pane = 0;  ///< that of `at`; the other is that of `next`
  };
  struct Events {
    /// The first window of an order is there, or both are.
    std::function<void(std::uint32_t stream, std::uint64_t turn, bool both)> loaded;
    /// How far a window is, now and then.
    std::function<void(std::uint32_t stream, std::uint64_t turn, plan::EpochWindow window, std::uint64_t done,
                       std::uint64_t total)>
        progress;
    std::function<void(const std::string& what)> failed;  ///< nothing more is read
  };

  Loader(const WindowSource& source, const blueprint::Windowing& windowing, store::NodeStore& store,
         reader::LoadOptions options, Events events);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  void read(const Order& order) EXCLUDES(mutex_);
  /// Bytes of files that were read so far, as they are stored.
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }  // a figure for people

 private:
  struct Task {
    std::uint32_t stream = 0, pane = 0;
    std::uint64_t turn = 0;
    plan::EpochWindow window;
    bool first = true;
    bool operator==(const Task&) const = default;
  };
  struct Stream {
    std::optional<Order> order;
    std::optional<plan::EpochWindow> panes[2];  // what is there
    bool told_first = false, told_both = false;
  };
  void run(const std::stop_token& quit);
  /// Until there is something to read or to tell; false: no more.
  bool wait_for_work(std::optional<Task>& task) EXCLUDES(mutex_);
  std::optional<Task> choose() const REQUIRES(mutex_);
  bool wanted(const Task& task) const REQUIRES(mutex_);
  void tell() EXCLUDES(mutex_);
  std::vector<blueprint::PlacedBlock> mine(std::uint32_t stream, plan::EpochWindow window, std::uint32_t pane) const;
  const plan::Members& members(std::uint32_t stream) const { return source_.blueprint.strata[stream].sets().front(); }
  void announce_after(const Task& task) const;
  void read_window(const Task& task) EXCLUDES(mutex_);

  const WindowSource source_;
  const blueprint::Windowing& windowing_;
  const reader::LoadOptions options_;
  const Events events_;
  std::vector<std::byte*> columns_;  // of this stager's memory
  std::atomic<std::uint64_t> bytes_ = 0;
  Mutex mutex_;
  Condition changed_;
  std::vector<Stream> streams_ GUARDED_BY(mutex_);
  bool quit_ GUARDED_BY(mutex_) = false, news_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace headrace::service::loading
