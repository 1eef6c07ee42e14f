#include "service/blueprint/windowed_orders.hpp"

#include <algorithm>

namespace headrace::service::blueprint {

std::shared_ptr<const plan::WindowedOrder> WindowedOrders::order(std::uint64_t key) {
  const Lock lock(mutex_);  // others wait while it is made: they want the same one
  const auto known = std::ranges::find(made_, key, &Made::key);
  if (known != made_.end()) {
    std::rotate(made_.begin(), known, known + 1);
  } else {
    made_.insert(made_.begin(), {key, std::make_shared<const plan::WindowedOrder>(windows_, key)});
    if (made_.size() > kept) made_.pop_back();
  }
  return made_.front().order;
}

}  // namespace headrace::service::blueprint
