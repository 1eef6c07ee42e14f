// What is known of a stream once its samples are counted. A plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/draw.hpp"
#include "plan/epoch_order.hpp"
#include "plan/schedule.hpp"
#include "plan/windows.hpp"
#include "service/blueprint/straight.hpp"
#include "service/blueprint/windowed_orders.hpp"

namespace headrace::service::blueprint {

struct StreamFacts {
  std::string name;
  std::uint64_t samples = 0;  ///< positions of an epoch
  std::optional<std::uint32_t> batch;
  std::optional<std::uint64_t> global_batch;
  plan::Shuffle shuffle = plan::Shuffle::global;
  plan::Last last = plan::Last::drop;
  std::uint64_t epochs = 0;
  plan::RowOrder order = plan::RowOrder::sorted;
  std::shared_ptr<const plan::Mix> mix{};          ///< null: every sample once
  std::vector<std::string> classes{};              ///< names of those that it mixes
  std::uint32_t replicas = 1;                      ///< processes that are one trainer
  std::shared_ptr<const plan::Draw> draw{};        ///< how often samples come; null: each once, or as they are mixed
  std::vector<std::string> draw_lines{};           ///< what an epoch brings, class by class
  std::shared_ptr<const plan::Windows> windows{};  ///< that it is shuffled in; null: as a whole
  std::shared_ptr<WindowedOrders> orders{};        ///< of these windows
  bool windows_at_start = false;                   ///< only epoch 0 is shuffled in them, the others as a whole
  std::shared_ptr<Straight> straight{};            ///< where it is not shuffled, and may be read lap by lap

  /// From now on it is shuffled in these windows.
  void shuffle_in(std::shared_ptr<const plan::Windows> these);
  bool in_windows(std::uint64_t epoch) const { return windows != nullptr && (epoch == 0 || !windows_at_start); }
  /// Null where the stream is not shuffled.
  std::shared_ptr<const plan::EpochOrder> epoch_order(std::uint64_t seed, std::uint64_t epoch) const;
  /// Batches of one of `trainers` trainers. Error if that number of trainers cannot be.
  plan::Schedule schedule(std::uint32_t trainers) const;
};

}  // namespace headrace::service::blueprint
