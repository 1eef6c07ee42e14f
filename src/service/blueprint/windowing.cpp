#include "service/blueprint/windowing.hpp"

#include <algorithm>

namespace headrace::service::blueprint {

std::shared_ptr<const plan::WindowedOrder> Windowing::order(std::uint32_t stream, std::uint64_t epoch) const {
  const auto& facts = blueprint_.streams[stream];
  return facts.orders->order(plan::epoch_key(seed_, facts.name, epoch));
}

std::optional<plan::EpochWindow> Windowing::first(std::uint32_t stream, std::uint64_t epoch) const {
  if (beyond(stream, epoch)) return std::nullopt;
  return plan::EpochWindow{epoch, order(stream, epoch)->window_of(0)};
}

std::optional<plan::EpochWindow> Windowing::next(std::uint32_t stream, plan::EpochWindow at) const {
  const auto of_epoch = order(stream, at.epoch);
  const auto end = of_epoch->starts()[at.window + 1];
  if (end < of_epoch->size()) return plan::EpochWindow{at.epoch, of_epoch->window_of(end)};
  return first(stream, at.epoch + 1);
}

Windowing::Span Windowing::span(std::uint32_t stream, std::uint64_t epoch, const plan::Share& share) const {
  const auto of_epoch = order(stream, epoch);
  const auto last = of_epoch->size() - 1;
  const auto window = [&](std::uint64_t position) {
    return plan::EpochWindow{epoch, of_epoch->window_of(std::min(position, last))};
  };
  Span span{window(share.first), window(share.rows > 0 ? share.first + share.rows - 1 : share.first)};
  if (share.padding > 0) span.last = window(last);  // what is repeated is of the last one
  if (share.padding > 0 && share.rows == 0) span.first = span.last;
  return span;
}

std::optional<plan::EpochWindow> Windowing::at(std::uint32_t stream, const plan::Schedule& schedule, std::uint32_t rank,
                                               std::uint64_t epoch, std::uint64_t step) const {
  if (beyond(stream, epoch)) return std::nullopt;
  return span(stream, epoch, schedule.share(step, rank)).first;
}

std::vector<PlacedBlock> Windowing::lay_out(std::uint32_t stream, plan::EpochWindow at, std::uint32_t pane) const {
  const auto of_epoch = order(stream, at.epoch);
  return blueprint::lay_out(*blueprint_.streams[stream].windows, of_epoch->blocks_of(at.window), blueprint_.blocks,
                            blueprint_.placement.slabs(), *blueprint_.cells[stream], pane);
}

}  // namespace headrace::service::blueprint
