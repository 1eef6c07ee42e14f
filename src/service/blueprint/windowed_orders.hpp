// The orders of epochs of a stream that is shuffled in windows, each made once for all who use it at one time. Any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "plan/windows.hpp"

namespace headrace::service::blueprint {

class WindowedOrders {
 public:
  static constexpr std::size_t kept = 2;  ///< epochs: while some trainers are in the next one

  explicit WindowedOrders(std::shared_ptr<const plan::Windows> windows) : windows_(std::move(windows)) {}

  const std::shared_ptr<const plan::Windows>& windows() const { return windows_; }
  /// The order of that key: what plan::epoch_key() makes of seed, stream and epoch. Some 0.1 s where it is made, of a
  /// million blocks.
  std::shared_ptr<const plan::WindowedOrder> order(std::uint64_t key) EXCLUDES(mutex_);

 private:
  struct Made {
    std::uint64_t key;
    std::shared_ptr<const plan::WindowedOrder> order;
  };
  const std::shared_ptr<const plan::Windows> windows_;
  Mutex mutex_;
  std::vector<Made> made_ GUARDED_BY(mutex_);  // the last used first
};

}  // namespace headrace::service::blueprint
