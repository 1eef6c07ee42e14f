#include "service/delivery/ring_keeper.hpp"

#include <fmt/format.h>

#include "base/contract.hpp"
#include "ipc/memory.hpp"
#include "ipc/no_descriptor.hpp"
#include "ipc/process.hpp"

namespace headrace::service::delivery {

void RingKeeper::back(Leaver leaver, Clock::time_point now) {
  EXPECTS(state_ == State::lent);
  ring_->reclaim_all();
  state_ = State::settling;
  leaver_ = std::move(leaver);
  since_ = now;
}

bool RingKeeper::over(const Former& former) {
  const auto held = ipc::held_by_others(former.memfd);
  // Who said goodbye and has it all the same is not believed twice: where the kernel cannot tell, the process must end.
  return held ? !*held : !ipc::alive(former.leaver.pidfd);
}

RingKeeper::Rubbish RingKeeper::look(Clock::time_point now) {
  Rubbish rubbish;
  if (former_ && over(*former_)) {
    rubbish.memfd = std::move(former_->memfd);
    former_.reset();
  }
  if (state_ != State::settling && state_ != State::blocked) return rubbish;
  const bool writable = !ring_->shared();
  const bool held = writable && ring_->held_by_others().value_or(false), ended_by_now = !writable || ended(*leaver_);
  if (ended_by_now && !held) {
    state_ = State::whole;
    leaver_.reset();
    return rubbish;
  }
  // A process that has just ended may need a moment until the kernel has unmapped all that it had.
  if (ended_by_now && now - since_ < settle_limit) return rubbish;
  if (former_) {
    state_ = State::blocked;
    return rubbish;
  }
  ipc::Fd memfd;
  try {
    memfd = ring_->fd().duplicate();
  } catch (const ipc::NoDescriptors&) {
    return rubbish;  // there may be one at the next look
  }
  former_ = Former{std::move(*leaver_), std::move(memfd), ring_->bytes()};
  leaver_.reset();
  rubbish.ring = std::move(ring_);
  state_ = State::vacant;
  return rubbish;
}

void RingKeeper::put(std::unique_ptr<ring::Producer> ring) {
  EXPECTS(state_ == State::vacant);
  ring_ = std::move(ring);
  state_ = State::whole;
}

std::optional<Retired> RingKeeper::retired() const {
  if (!former_) return std::nullopt;
  const auto& leaver = former_->leaver;
  const auto* still = !ipc::alive(leaver.pidfd) ? "ended, but a child of it or whom it gave the memory still has it"
                      : leaver.goodbye          ? "said goodbye, but still has its memory"
                                                : "lives on and may write to its memory";
  return Retired{former_->bytes, fmt::format("{} {} (it went: {})", leaver.who, still, leaver.why)};
}

}  // namespace headrace::service::delivery
