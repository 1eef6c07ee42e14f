// Which windows batches are of, and which blocks a window has: the arithmetic of plan/windows.hpp for the streams of a
// service that are read window by window. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "plan/figures/laps.hpp"
#include "plan/schedule.hpp"
#include "plan/windows.hpp"
#include "service/blueprint/blueprint.hpp"

namespace headrace::service::blueprint {

class Windowing {
 public:
  Windowing(const Blueprint& blueprint, std::uint64_t seed) : blueprint_(blueprint), seed_(seed) {}

  /// Whether the stream is read window by window; only then the rest may be asked about it.
  bool covers(std::uint32_t stream) const {
    return stream < blueprint_.cells.size() && blueprint_.cells[stream].has_value();
  }
  bool covers_any() const { return !blueprint_.cells.empty(); }
  /// Windows of an epoch that has this one, and its number among them.
  std::uint64_t count(std::uint32_t stream, plan::EpochWindow at) const;
  std::uint64_t number(std::uint32_t stream, plan::EpochWindow at) const;
  /// The first window that is not empty, and the one after another; nothing after those of the last epoch. trainers:
  /// that there are, or will be.
  std::optional<plan::EpochWindow> first(std::uint32_t stream, std::uint64_t epoch, std::uint32_t trainers) const;
  std::optional<plan::EpochWindow> next(std::uint32_t stream, plan::EpochWindow at) const;

  /// The windows that a share has positions of: of all in between, too.
  struct Span {
    plan::EpochWindow first, last;
  };
  /// Of a shuffled stream.
  Span span(std::uint32_t stream, std::uint64_t epoch, const plan::Share& share) const;
  /// Of any.
  Span span(std::uint32_t stream, const plan::Schedule& schedule, std::uint32_t rank, std::uint64_t epoch,
            std::uint64_t step) const;
  /// Where a trainer is whose next batch is that of this step; nothing beyond the last epoch.
  std::optional<plan::EpochWindow> at(std::uint32_t stream, const plan::Schedule& schedule, std::uint32_t rank,
                                      std::uint64_t epoch, std::uint64_t step) const;
  /// The blocks of a window in a pane.
  std::vector<PlacedBlock> lay_out(std::uint32_t stream, plan::EpochWindow at, std::uint32_t pane) const;

 private:
  std::shared_ptr<const plan::WindowedOrder> order(std::uint32_t stream, std::uint64_t epoch) const;
  /// Of a stream that is not shuffled; null: it is.
  std::shared_ptr<const plan::Laps> laps(std::uint32_t stream, std::uint32_t trainers) const;
  std::shared_ptr<const plan::Laps> laps(std::uint32_t stream, plan::EpochWindow at) const {
    return laps(stream, plan::LapOf::window(at.window).trainers);
  }
  bool beyond(std::uint32_t stream, std::uint64_t epoch) const {
    return blueprint_.streams[stream].epochs > 0 && epoch >= blueprint_.streams[stream].epochs;
  }

  const Blueprint& blueprint_;
  const std::uint64_t seed_;
};

}  // namespace headrace::service::blueprint
