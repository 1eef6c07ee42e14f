#include "ipc/poller.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/contract.hpp"
#include "base/error.hpp"

namespace headrace::ipc {

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("epoll_create1");
}

void Poller::add(int fd, Callback callback) {
  EXPECTS(!tokens_.contains(fd));
  const auto token = next_token_++;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u64 = token;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
  tokens_[fd] = token;
  callbacks_[token] = std::make_shared<Callback>(std::move(callback));
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
    // Looked up by token, not by descriptor: an earlier callback may have removed it and its number be in use again.
    const auto found = callbacks_.find(events[static_cast<std::size_t>(i)].data.u64);
    if (found == callbacks_.end()) continue;
    const auto callback = found->second;  // keeps a callback alive that removes itself
    (*callback)();
    ++ran;
  }
  return ran;
}

}  // namespace headrace::ipc
