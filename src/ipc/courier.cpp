#include "ipc/courier.hpp"

#include <poll.h>

#include <utility>

#include "base/clock.hpp"

namespace headrace::ipc {

Courier::Courier(Poller& poller, Connection connection, Manner manner, std::function<void()> on_ready)
    : poller_(poller), connection_(std::move(connection)), manner_(manner), on_ready_(std::move(on_ready)) {
  poller_.add(connection_.fd(), interest_, [this](Events events) { ready(events); });
}

Courier::~Courier() {
  if (connection_) poller_.remove(connection_.fd());
}

Courier::Said Courier::say(std::string text, std::vector<Fd> fds) {
  if (mute_) return Said::closed;
  Letter letter{std::move(text), std::move(fds)};
  if (queue_.empty()) {
    const auto sent = send(letter);
    if (sent == Sent::sent) return Said::sent;
    if (sent == Sent::closed) {
      mute_ = true;
      return Said::closed;
    }
    kept_since_ = Clock::now();
  }
  if (kept_bytes_ + letter.text.size() > manner_.limit) return Said::overfull;
  kept_bytes_ += letter.text.size();
  queue_.push_back(std::move(letter));
  wait_for_what_matters();
  return Said::kept;
}

Sent Courier::send(const Letter& letter) const {
  std::vector<int> numbers;
  numbers.reserve(letter.fds.size());
  for (const auto& fd : letter.fds) numbers.push_back(fd.get());
  return connection_.send(letter.text, numbers);
}

void Courier::flush() {
  const bool was_empty = queue_.empty();
  auto sent = Sent::sent;
  std::size_t count = 0;
  while (!queue_.empty() && (sent = send(queue_.front())) == Sent::sent) {
    kept_bytes_ -= queue_.front().text.size();
    queue_.pop_front();
    ++count;
  }
  if (count > 0) kept_since_ = Clock::now();
  if (sent == Sent::closed) {
    mute_ = true;
    queue_.clear();
    kept_bytes_ = 0;
  }
  starved_ = !queue_.empty() && count == 0;
  if (!was_empty) wait_for_what_matters();
}

void Courier::wait_for_what_matters() {
  const bool held_back = paused_ || spent_ >= manner_.allowance || (manner_.polite && !queue_.empty());
  const Interest wanted{.read = !held_back, .write = !queue_.empty() && !starved_};
  if (wanted == interest_) return;
  interest_ = wanted;
  poller_.set(connection_.fd(), wanted);
}

void Courier::ready(Events events) {
  if (events.writable) flush();
  hung_up_ = hung_up_ || events.hung_up;
  if (!(events.readable && interest_.read) && !events.hung_up) return;
  const auto call = on_ready_;  // it may destroy this
  call();
}

void Courier::pause() {
  paused_ = true;
  wait_for_what_matters();
}

void Courier::resume() {
  paused_ = false;
  wait_for_what_matters();
}

void Courier::spend(unsigned cost) {
  spent_ += cost;
  wait_for_what_matters();
}

void Courier::renew() {
  spent_ = 0;
  if (std::exchange(starved_, false)) flush();
  wait_for_what_matters();
}

bool Courier::flush_for(std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  for (;;) {
    flush();
    if (queue_.empty()) return !mute_;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return false;
    pollfd entry{connection_.fd(), POLLOUT, 0};
    poll(&entry, 1, static_cast<int>(left.count()));
  }
}

Fd Courier::take() {
  poller_.remove(connection_.fd());
  return connection_.take();
}

}  // namespace headrace::ipc
