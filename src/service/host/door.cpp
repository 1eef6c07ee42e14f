#include "service/host/door.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/file_limit.hpp"
#include "log/log.hpp"

namespace headrace::service::host {

namespace {
constexpr std::chrono::milliseconds open_again_after{100};
constexpr std::chrono::minutes tell_pause_every{1};

/// Until it is known what the service needs: a small part of what is free.
std::uint64_t callers_while_loading() {
  const auto limit = file_limit();
  return std::max<std::uint64_t>(1, (limit - std::min(limit, open_files())) / 8);
}
}  // namespace

Door::Door(const std::string& address, ipc::Poller& poller, Inside inside)
    : poller_(poller),
      listener_(std::in_place, ipc::Address(address)),
      inside_(std::move(inside)),
      most_callers_(callers_while_loading()) {
  poller_.add(listener_->fd(), [this] { accept(); });
}

Door::~Door() {
  close();
}

void Door::withdraw() {
  if (listener_) listener_->withdraw();
}

void Door::close() {
  if (!listener_) return;
  poller_.remove(listener_->fd());
  listener_.reset();
}

/// Whether somebody came in.
bool Door::accept() try {
  if (!listener_) return false;
  if (inside_.count() >= most_callers_) {
    pause(fmt::format("ulimit -n allows {}: {} are held by callers, and the rest is kept for trainers", file_limit(),
                      inside_.count()));
    return false;
  }
  auto connection = listener_->accept();
  if (!connection) return false;
  inside_.enter(std::move(*connection));
  return true;
} catch (const ipc::NoDescriptors& error) {
  pause(error.what());
  return false;
}

void Door::let_in() {
  while (!paused_ && accept()) continue;
}

void Door::pause(const std::string& why) {
  if (listener_) poller_.remove(listener_->fd());
  const auto now = Clock::now();
  paused_ = now;
  if (pause_told_ && now - *pause_told_ < tell_pause_every) return;
  pause_told_ = now;
  log::warn("no file descriptor for who connects, who waits until some are free ({})", why);
}

void Door::tick(Clock::time_point now) {
  if (!listener_ || !paused_ || now - *paused_ < open_again_after) return;
  inside_.make_room(now);
  if (inside_.count() >= most_callers_) return;
  paused_.reset();
  poller_.add(listener_->fd(), [this] { accept(); });
}

}  // namespace headrace::service::host
