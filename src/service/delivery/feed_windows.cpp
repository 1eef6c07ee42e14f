// The part of the feed that is about windows: whether the rows of its next batch are in memory, and who hears where it
// is.
#include <string>
#include <utility>

#include "service/delivery/feed.hpp"

namespace headrace::service::delivery {

/// What is yet to be copied for this trainer keeps its window in memory: so it is told where that is. Batches that are
/// in slots need none any more: who goes on for a trainer that died has the window of those read again.
void Feed::tell_window() {
  if (panes_ == nullptr) return;
  std::optional<plan::EpochWindow> window;
  if (const auto next = ledger_.coming())
    window = panes_->windowing().at(recipient_.stream, schedule_, recipient_.rank, next->epoch, next->step);
  if (std::exchange(told_, true) && window == told_window_) return;
  told_window_ = window;
  events_.moved(window);
}

/// For those who hear that there is more to give out.
std::function<void()> Feed::pump_later() {
  return [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->workers_.post([self] { self->pump(); });
  };
}

/// Whether the rows of the step are in memory; else pump() comes once more are, and who reads hears which are wanted.
bool Feed::has_arrived(books::Step step) {
  const auto answer =
      arrivals_->ask(recipient_.stream, step.epoch, schedule_.share(step.step, recipient_.rank), this, pump_later());
  window_closed_ = !answer.open;
  if (!answer.waits_for) return answer.open;
  const plan::EpochWindow wanted{step.epoch, *answer.waits_for};
  if (std::exchange(told_window_, wanted) != wanted) events_.moved(wanted);
  return false;
}

/// The windows of the step, from now on under way; nothing where they are not open, and pump() comes once one is.
std::optional<Panes::Span> Feed::enter_windows(books::Step step) {
  const auto span = panes_->windowing().span(recipient_.stream, schedule_, recipient_.rank, step.epoch, step.step);
  const auto gate = panes_->enter(recipient_.stream, span, this, pump_later());
  window_closed_ = gate == Panes::Gate::closed;
  if (gate == Panes::Gate::open) return span;
  if (gate == Panes::Gate::never) {
    const auto why = "stream '" + recipient_.stream_name + "': epoch " + std::to_string(step.epoch) + ", step " +
                     std::to_string(step.step) +
                     " has samples of more than two windows, and no more are in memory at a time; choose a larger "
                     "window or a smaller batch";
    for (std::uint32_t replica = 0; replica < ring_.replicas(); ++replica) events_.violation(replica, why);
    state_ = State::closed;
  }
  return std::nullopt;
}

}  // namespace headrace::service::delivery
