#include "ipc/lifeline.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "ipc/socket_call.hpp"

namespace headrace::ipc {

using detail::Ready;

namespace {

constexpr std::size_t secret_digits = 32;
constexpr char welcome = 'y';

std::string make_secret() {
  std::array<unsigned char, secret_digits / 2> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) throw_errno("getrandom");
  std::string text;
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

/// Of the networks that this node is on, but for itself and what is valid on one wire only.
std::vector<std::string> own_addresses() {
  std::vector<std::string> found;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) throw_errno("getifaddrs");
  for (const auto* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || !(one->ifa_flags & IFF_UP) || (one->ifa_flags & IFF_LOOPBACK)) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr))
      continue;
    std::array<char, NI_MAXHOST> text{};
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
      found.emplace_back(text.data());
  }
  freeifaddrs(all);
  return found;
}

/// Both kinds of addresses at once where the system knows IPv6.
Fd listening(int family) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return socket;
  sockaddr_storage any{};  // all zero: every address, a free port
  any.ss_family = static_cast<sa_family_t>(family);
  const int no = 0;
  if (family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), size) != 0 || listen(socket.get(), 16) != 0)
    socket.close();
  return socket;
}

std::string port_of(const Fd& socket) {
  sockaddr_storage mine{};
  socklen_t size = sizeof mine;
  std::array<char, NI_MAXSERV> port{};
  auto* const raw = reinterpret_cast<sockaddr*>(&mine);
  if (getsockname(socket.get(), raw, &size) != 0) throw_errno("getsockname");
  getnameinfo(raw, size, nullptr, 0, port.data(), port.size(), NI_NUMERICSERV);
  return port.data();
}

/// Up to `bytes` bytes, as far as they come until then.
std::string receive(const Fd& socket, std::size_t bytes, Clock::time_point until) {
  std::string text;
  while (text.size() < bytes) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0 || detail::wait_for(socket.get(), POLLIN, left) == Ready::no) break;
    std::array<char, secret_digits> piece{};
    const auto got = recv(socket.get(), piece.data(), std::min(piece.size(), bytes - text.size()), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) break;
    text.append(piece.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  return text;
}

Fd connect_to(const std::string& host, const std::string& port, Clock::time_point until) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return Fd();
  Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool begun = socket && (connect(socket.get(), found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS);
  freeaddrinfo(found);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  int failure = 1;
  socklen_t size = sizeof failure;
  if (begun && detail::wait_for(socket.get(), POLLOUT, left) == Ready::yes)
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
  return failure == 0 ? std::move(socket) : Fd();
}

}  // namespace

void Lifeline::watch(std::chrono::seconds silence) const {
  // Three questions, each a fifth of the time after the last; they begin when two fifths are over.
  const int on = 1, asked = 3;
  const int apart = std::max(1, static_cast<int>(silence.count() / 5));
  const int quiet = std::max(1, static_cast<int>(silence.count()) - asked * apart);
  const auto set = [&](int level, int name, int value) {
    if (setsockopt(socket_.get(), level, name, &value, sizeof value) != 0) throw_errno("setsockopt");
  };
  set(IPPROTO_TCP, TCP_KEEPIDLE, quiet);
  set(IPPROTO_TCP, TCP_KEEPINTVL, apart);
  set(IPPROTO_TCP, TCP_KEEPCNT, asked);
  set(SOL_SOCKET, SO_KEEPALIVE, on);
}

Lifeline::Fate Lifeline::fate() const {
  char byte = 0;
  const auto got = recv(socket_.get(), &byte, 1, MSG_DONTWAIT);
  if (got > 0) return byte == static_cast<char>(Word::alarm) ? Fate::alarm : Fate::goodbye;
  if (got == 0) return Fate::closed;
  if (errno == ECONNRESET) return Fate::reset;
  return errno == EAGAIN || errno == EINTR ? Fate::fine : Fate::lost;
}

void Lifeline::say(Word word) const noexcept {
  const char byte = static_cast<char>(word);
  [[maybe_unused]] const auto sent = ::send(socket_.get(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

Mooring::Mooring() : socket_(listening(AF_INET6)), secret_(make_secret()) {
  if (!socket_) socket_ = listening(AF_INET);
  if (!socket_) throw_errno("listen");
  address_ = secret_ + " " + port_of(socket_);
  for (const auto& address : own_addresses()) address_ += " " + address;
}

std::optional<Lifeline> Mooring::accept(std::chrono::milliseconds limit) const {
  const auto until = Clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return std::nullopt;
    if (detail::wait_for(socket_.get(), POLLIN, left) == Ready::no) continue;
    Fd guest(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!guest || receive(guest, secret_.size(), std::min(until, Clock::now() + std::chrono::seconds(1))) != secret_)
      continue;
    if (send(guest.get(), &welcome, 1, MSG_NOSIGNAL) == 1) return Lifeline(std::move(guest));
  }
}

std::optional<Lifeline> tie(const std::string& address, std::chrono::milliseconds limit) {
  std::istringstream words(address);
  std::string secret, port, host;
  words >> secret >> port;
  while (words >> host) {
    const auto until = Clock::now() + limit;
    auto socket = connect_to(host, port, until);
    if (!socket || send(socket.get(), secret.data(), secret.size(), MSG_NOSIGNAL) != ssize_t(secret.size())) continue;
    if (receive(socket, 1, until) == std::string(1, welcome)) return Lifeline(std::move(socket));
  }
  return std::nullopt;
}

}  // namespace headrace::ipc
