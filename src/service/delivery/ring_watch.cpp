#include "service/delivery/ring_watch.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "log/log.hpp"

namespace headrace::service::delivery {

RingWatch::RingWatch(const Rings& rings, Workers& workers, std::vector<std::string> streams, std::string host,
                     Actions actions)
    : rings_(rings),
      workers_(workers),
      streams_(std::move(streams)),
      host_(std::move(host)),
      actions_(std::move(actions)) {}

void RingWatch::back(std::uint32_t stream, std::uint32_t place, Leaver leaver, Clock::time_point now) {
  auto& keeper = *rings_.at(stream, place);
  keeper.back(std::move(leaver), now);
  look_at(stream, place, keeper, now);
}

void RingWatch::look(Clock::time_point now, bool all) {
  if (closed_) return;
  rings_.each([&](std::uint32_t stream, std::uint32_t place, RingKeeper& keeper) {
    if (all || keeper.state() == RingKeeper::State::settling) look_at(stream, place, keeper, now);
  });
}

void RingWatch::look_at(std::uint32_t stream, std::uint32_t place, RingKeeper& keeper, Clock::time_point now) {
  const auto state = keeper.state();
  const auto before = keeper.retired();
  // To unmap and free gigabytes takes a while.
  if (auto rubbish = keeper.look(now); rubbish.ring || rubbish.memfd)
    workers_.post([kept = std::make_shared<RingKeeper::Rubbish>(std::move(rubbish))]() mutable { kept.reset(); });
  const auto after = keeper.retired();
  const auto& name = streams_[stream];
  if (before.has_value() != after.has_value() || (before && before->text != after->text)) {
    actions_.to_leader(books::RingRetired{stream, place, after ? after->bytes : 0, after ? after->text : ""});
    if (!before && !closed_) log::warn("stream {}: {}; whoever takes its place gets new memory", name, after->text);
  }
  if (keeper.state() == state) return;
  if (keeper.state() == RingKeeper::State::blocked && !closed_)
    log::warn(
        "stream {}: nobody can take a place: its ring and the one before it are both in the hands of processes "
        "that were thrown out, as {}; end them",
        name, after->text);
  actions_.to_leader(books::RingLeft{stream, place, keeper.state()});
}

void RingWatch::make(const books::MakeRing& order) {
  const auto stream = order.stream, place = order.ring;
  // Taking and faulting in gigabytes takes a while, too.
  workers_.post([this, stream, place] {
    const auto made = std::make_shared<std::unique_ptr<ring::Producer>>();
    std::string error;
    try {
      *made = rings_.make(stream, place);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    actions_.post([this, stream, place, made, error] {
      if (closed_) return;  // the desk has told who waited for it
      if (*made) rings_.at(stream, place)->put(std::move(*made));
      actions_.to_leader(books::RingMade{stream, place, error});
    });
  });
}

std::vector<books::FormerRing> RingWatch::retired() const {
  std::vector<books::FormerRing> all;
  rings_.each([&](std::uint32_t stream, std::uint32_t, const RingKeeper& keeper) {
    if (const auto retired = keeper.retired()) all.push_back({streams_[stream], host_, retired->bytes, retired->text});
  });
  return all;
}

}  // namespace headrace::service::delivery
