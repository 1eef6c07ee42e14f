// The front desk, where several processes are one trainer: who of them claims, and who joins another.
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/wait.hpp"
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

bool FrontDesk::waits_for_holder(Caller& caller) {
  const auto now = Clock::now();
  if (!caller.patient_until) caller.patient_until = now + patience_with_holders;
  return !caller.gone() && closed_.empty() && now < *caller.patient_until;
}

}  // namespace headrace::service::host
