#include "ipc/poller.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/contract.hpp"
#include "base/error.hpp"

namespace headrace::ipc {

namespace {

// Hanging up halfway (shutdown) counts as readable only for who reads: nobody else could take it.
std::uint32_t events_of(Interest interest) {
  return (interest.read ? EPOLLIN | EPOLLRDHUP : 0u) | (interest.write ? EPOLLOUT : 0u);
}

}  // namespace

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("epoll_create1");
}

void Poller::add(int fd, Callback callback) {
  enter(fd, events_of({.read = true}), [call = std::move(callback)](Events) { call(); });
}

void Poller::add(int fd, Interest interest, EventsCallback callback) {
  enter(fd, events_of(interest), std::move(callback));
}

void Poller::add_edge(int fd, Callback callback) {
  enter(fd, EPOLLIN | EPOLLET, [call = std::move(callback)](Events) { call(); });
}

void Poller::enter(int fd, std::uint32_t events, EventsCallback callback) {
  EXPECTS(!tokens_.contains(fd));
  const auto token = next_token_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
  tokens_[fd] = token;
  callbacks_[token] = std::make_shared<EventsCallback>(std::move(callback));
}

void Poller::set(int fd, Interest interest) {
  const auto found = tokens_.find(fd);
  EXPECTS(found != tokens_.end());
  epoll_event event{};
  event.events = events_of(interest);
  event.data.u64 = found->second;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) throw_errno("epoll_ctl");
}

bool Poller::remove(int fd) {
  const auto found = tokens_.find(fd);
  if (found == tokens_.end()) return false;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  callbacks_.erase(found->second);
  tokens_.erase(found);
  return true;
}

std::size_t Poller::wait(std::chrono::milliseconds timeout) {
  std::array<epoll_event, 64> events{};
  constexpr std::chrono::milliseconds::rep longest = 1'000'000'000;
  const auto limit = timeout.count() < 0 ? -1 : static_cast<int>(std::min(timeout.count(), longest));
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), limit);
  if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
  std::size_t ran = 0;
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    // Looked up by token, not by descriptor: an earlier callback may have removed it and its number be in use again.
    const auto found = callbacks_.find(event.data.u64);
    if (found == callbacks_.end()) continue;
    const auto callback = found->second;  // keeps a callback alive that removes itself
    (*callback)({.readable = (event.events & (EPOLLIN | EPOLLRDHUP)) != 0,
                 .writable = (event.events & EPOLLOUT) != 0,
                 .hung_up = (event.events & (EPOLLHUP | EPOLLERR)) != 0});
    ++ran;
  }
  return ran;
}

}  // namespace headrace::ipc
