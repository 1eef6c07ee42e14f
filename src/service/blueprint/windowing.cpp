#include "service/blueprint/windowing.hpp"

#include <algorithm>

namespace headrace::service::blueprint {

std::shared_ptr<const plan::WindowedOrder> Windowing::order(std::uint32_t stream, std::uint64_t epoch) const {
  const auto& facts = blueprint_.streams[stream];
  return facts.orders->order(plan::epoch_key(seed_, facts.name, epoch));
}

std::shared_ptr<const plan::Laps> Windowing::laps(std::uint32_t stream, std::uint32_t trainers) const {
  const auto& facts = blueprint_.streams[stream];
  return facts.straight ? facts.straight->laps(facts.schedule(trainers)) : nullptr;
}

std::uint64_t Windowing::count(std::uint32_t stream, plan::EpochWindow at) const {
  const auto straight = laps(stream, at);
  return straight ? straight->count() : blueprint_.streams[stream].windows->count();
}

std::uint64_t Windowing::number(std::uint32_t stream, plan::EpochWindow at) const {
  return blueprint_.streams[stream].straight ? plan::LapOf::window(at.window).lap : at.window;
}

std::optional<plan::EpochWindow> Windowing::first(std::uint32_t stream, std::uint64_t epoch,
                                                  std::uint32_t trainers) const {
  if (beyond(stream, epoch)) return std::nullopt;
  if (laps(stream, trainers)) return plan::EpochWindow{epoch, plan::LapOf{trainers, 0}.window()};
  return plan::EpochWindow{epoch, order(stream, epoch)->window_of(0)};
}

std::optional<plan::EpochWindow> Windowing::next(std::uint32_t stream, plan::EpochWindow at) const {
  if (const auto straight = laps(stream, at)) {
    const auto [trainers, lap] = plan::LapOf::window(at.window);
    if (lap + 1 < straight->count()) return plan::EpochWindow{at.epoch, at.window + 1};
    return first(stream, at.epoch + 1, trainers);
  }
  const auto of_epoch = order(stream, at.epoch);
  const auto end = of_epoch->starts()[at.window + 1];
  if (end < of_epoch->size()) return plan::EpochWindow{at.epoch, of_epoch->window_of(end)};
  return first(stream, at.epoch + 1, 1);
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

Windowing::Span Windowing::span(std::uint32_t stream, const plan::Schedule& schedule, std::uint32_t rank,
                                std::uint64_t epoch, std::uint64_t step) const {
  const auto share = schedule.share(step, rank);
  const auto straight = laps(stream, schedule.trainers());
  if (!straight) return span(stream, epoch, share);
  const auto lap = [&](std::uint64_t number) {
    return plan::EpochWindow{epoch, plan::LapOf{schedule.trainers(), number}.window()};
  };
  const auto end = lap(straight->count() - 1);
  if (share.rows == 0) return {end, end};
  Span span{lap(straight->lap_of(rank, share.first)), lap(straight->lap_of(rank, share.first + share.rows - 1))};
  if (share.padding > 0) span.last = end;  // it has what is repeated
  return span;
}

std::optional<plan::EpochWindow> Windowing::at(std::uint32_t stream, const plan::Schedule& schedule, std::uint32_t rank,
                                               std::uint64_t epoch, std::uint64_t step) const {
  if (beyond(stream, epoch)) return std::nullopt;
  return span(stream, schedule, rank, epoch, step).first;
}

std::vector<PlacedBlock> Windowing::lay_out(std::uint32_t stream, plan::EpochWindow at, std::uint32_t pane) const {
  const auto& facts = blueprint_.streams[stream];
  const auto place = [&](std::span<const std::uint64_t> first_ordinals, std::span<const std::uint32_t> blocks) {
    return blueprint::lay_out(first_ordinals, blocks, blueprint_.blocks, blueprint_.placement.slabs(),
                              *blueprint_.cells[stream], pane);
  };
  if (const auto straight = laps(stream, at))
    return place(facts.straight->first_ordinals(), straight->blocks_of(plan::LapOf::window(at.window).lap));
  const auto of_epoch = order(stream, at.epoch);
  return place(facts.windows->first_ordinals(), of_epoch->blocks_of(at.window));
}

}  // namespace headrace::service::blueprint
