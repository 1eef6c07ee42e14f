// What becomes of rings whose trainers are gone.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "log/log.hpp"
#include "service/delivery/trainers.hpp"

namespace headrace::service::delivery {

void Trainers::look_at_rings(Clock::time_point now, bool all) {
  rings_.each([&](std::uint32_t stream, std::uint32_t place, RingKeeper& keeper) {
    if (all || keeper.state() == RingKeeper::State::settling) look_at_ring(stream, place, keeper, now);
  });
}

void Trainers::look_at_ring(std::uint32_t stream, std::uint32_t place, RingKeeper& keeper, Clock::time_point now) {
  const auto state = keeper.state();
  const auto before = keeper.retired();
  // To unmap and free gigabytes takes a while.
  if (auto rubbish = keeper.look(now); rubbish.ring || rubbish.memfd)
    workers_.post([kept = std::make_shared<RingKeeper::Rubbish>(std::move(rubbish))]() mutable { kept.reset(); });
  const auto after = keeper.retired();
  const auto& name = supply_.blueprint().streams[stream].name;
  if (before.has_value() != after.has_value() || (before && before->text != after->text)) {
    actions_.up({{"type", "ring_retired"},
                 {"stream", stream},
                 {"ring", place},
                 {"bytes", after ? after->bytes : 0},
                 {"text", after ? after->text : ""}});
    if (!before && !closed_) log::warn("stream {}: {}; whoever takes its place gets new memory", name, after->text);
  }
  if (keeper.state() == state) return;
  if (keeper.state() == RingKeeper::State::blocked && !closed_)
    log::warn(
        "stream {}: nobody can take a place: its ring and the one before it are both in the hands of processes "
        "that were thrown out, as {}; end them",
        name, after->text);
  actions_.up(
      {{"type", "ring_left"}, {"stream", stream}, {"ring", place}, {"state", static_cast<int>(keeper.state())}});
}

void Trainers::make_ring(const nlohmann::json& order) {
  const std::uint32_t stream = order.at("stream"), place = order.at("ring");
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
      if (closed_) return;
      if (*made) rings_.at(stream, place)->put(std::move(*made));
      actions_.up({{"type", "ring_made"}, {"stream", stream}, {"ring", place}, {"error", error}});
    });
  });
}

nlohmann::json Trainers::retired() const {
  auto all = nlohmann::json::array();
  rings_.each([&](std::uint32_t stream, std::uint32_t, const RingKeeper& keeper) {
    if (const auto retired = keeper.retired())
      all.push_back({{"stream", supply_.blueprint().streams[stream].name},
                     {"host", topology_.here().host},
                     {"bytes", retired->bytes},
                     {"text", retired->text}});
  });
  return all;
}

}  // namespace headrace::service::delivery
