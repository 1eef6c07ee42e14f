// The front desk, where several processes are one trainer: who of them claims, and who joins another.
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/wait.hpp"
#include "service/blueprint/windows.hpp"
#include "service/host/front_desk.hpp"

namespace headrace::service::host {

namespace {
const auto patience_with_holders = wait_of("HEADRACE_WAIT_HOLDERS", std::chrono::milliseconds{2000});
}  // namespace

bool FrontDesk::joins(std::uint64_t id) {
  auto& caller = callers_.at(id);
  const auto& hello = caller.hello;
  const auto replicas = blueprint_->streams[caller.stream].replicas;
  require(hello.replica < replicas && (hello.replicas == 0 || hello.replicas == replicas),
          fmt::format("this is replica {}{}, but stream '{}' is served with replicas = {}; serve it with as many as "
                      "there are processes to a rank",
                      hello.replica, hello.replicas == 0 ? "" : fmt::format(" of {}", hello.replicas),
                      blueprint_->streams[caller.stream].name, replicas));
  if (replicas == 1) return false;
  using What = delivery::Groups::What;
  const auto answer = groups_.ask(caller.stream, hello.rank, hello.world_size, hello.replica);
  if (answer.what == What::claims) return false;
  // Who has its number may be about to leave, with the rest of its group.
  if (answer.what == What::refused && !waits_for_holder(caller)) refuse(id, answer.text);
  if (answer.what != What::joins) return true;
  caller.talk->pause();
  hand_over(id, {.stream = caller.stream, .ring = answer.place, .joins = true});
  return true;
}

/// Where two windows at a time are in memory, trainers that go hand in hand must find each batch in these.
void FrontDesk::require_windows_for(std::uint32_t stream, std::uint32_t world_size) const {
  if (stream >= blueprint_->cells.size() || !blueprint_->cells[stream]) return;
  const auto& facts = blueprint_->streams[stream];
  if (facts.straight) return;  // schedule() has found stretches for so many
  blueprint::require_two_windows_hold(
      facts, world_size, "restart the service with a larger window or a smaller batch, or use fewer trainers");
}

bool FrontDesk::waits_for_holder(Caller& caller) {
  const auto now = Clock::now();
  if (!caller.patient_until) caller.patient_until = now + patience_with_holders;
  return !caller.gone() && closed_.empty() && now < *caller.patient_until;
}

}  // namespace headrace::service::host
