#include "service/blueprint/stream_facts.hpp"

#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::service::blueprint {

void StreamFacts::shuffle_in(std::shared_ptr<const plan::Windows> these) {
  orders = std::make_shared<WindowedOrders>(these);
  windows = std::move(these);
}

std::shared_ptr<const plan::EpochOrder> StreamFacts::epoch_order(std::uint64_t seed, std::uint64_t epoch) const {
  if (shuffle == plan::Shuffle::none) return nullptr;
  const auto key = plan::epoch_key(seed, name, epoch);
  if (in_windows(epoch)) return std::make_shared<const plan::EpochOrder>(orders->order(key));
  if (mix) return std::make_shared<const plan::EpochOrder>(mix, seed, name, epoch);
  return std::make_shared<const plan::EpochOrder>(samples, key);
}

plan::Schedule StreamFacts::schedule(std::uint32_t trainers) const {
  const auto count = std::to_string(trainers) + (trainers == 1 ? " trainer" : " trainers");
  std::uint64_t rows = batch ? *batch : 0;
  if (global_batch) {
    require(*global_batch % trainers == 0, "stream '" + name + "': global-batch = " + std::to_string(*global_batch) +
                                               " does not divide by " + count +
                                               "; choose a multiple of the number of trainers");
    rows = *global_batch / trainers;
  }
  require(last != plan::Last::drop || rows * trainers <= samples,
          "stream '" + name + "': a global batch of " + std::to_string(rows * trainers) + " rows (" + count +
              ") exceeds the " + std::to_string(samples) +
              " samples of the stream, and last = \"drop\" drops what is no full batch; "
              "choose a smaller batch, or last = \"partial\" or \"pad\"");
  const plan::Schedule schedule(samples, narrow<std::uint32_t>(rows), trainers, shuffle, last);
  if (straight && straight->by_laps()) straight->laps(schedule);  // says so now if so many trainers cannot be
  return schedule;
}

}  // namespace headrace::service::blueprint
