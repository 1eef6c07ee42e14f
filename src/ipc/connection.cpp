#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/file_limit.hpp"
#include "base/printable.hpp"
#include "ipc/no_descriptor.hpp"
#include "ipc/socket_call.hpp"

namespace headrace::ipc {

using detail::Ready;

namespace {

constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(int) * max_message_fds);

bool peer_is_gone(int error) {
  return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

/// Passing: too many descriptors of this user are under way, or no buffers.
bool wants_kernel_memory(int error) {
  return error == ETOOMANYREFS || error == ENOBUFS || error == ENOMEM;
}

void put_fds(msghdr& header, std::span<const int> fds) {
  header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(control), fds.data(), fds.size_bytes());
}

std::vector<Fd> take_fds(msghdr& header) {
  std::vector<Fd> fds;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Connection::Connection(Fd socket) : socket_(std::move(socket)) {
  // The kernel takes the system's limit where this is more; nothing else depends on it.
  const int bytes = max_message_bytes;
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

std::optional<Connection> Connection::connect(const Address& address) {
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw_no_descriptor("socket");
  const auto target = detail::raw(address);
  if (::connect(fd.get(), target.get(), target.length) == 0) return Connection(std::move(fd));
  // EAGAIN: its queue of callers is full; as good as nobody there, for now.
  if (errno == ECONNREFUSED || errno == ENOENT || errno == EAGAIN || errno == EINTR) return std::nullopt;
  throw Error("cannot connect to the service '" + address.service() + "' (" + errno_text("connect", errno) +
              "); check the name or path");
}

Sent Connection::send(std::string_view text, std::span<const int> fds, std::chrono::milliseconds timeout) const {
  EXPECTS(fds.size() <= max_message_fds && !text.empty());
  alignas(cmsghdr) std::array<char, control_bytes> control{};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    put_fds(header, fds);
  }
  for (bool waited = false;;) {
    if (text.size() <= max_message_bytes && sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
      return Sent::sent;
    const int error = text.size() <= max_message_bytes ? errno : EMSGSIZE;
    if (peer_is_gone(error)) return Sent::closed;
    if (error == EINTR) continue;
    if (error == EMSGSIZE)
      throw Error("a message of " + std::to_string(text.size()) +
                  " bytes does not fit into a socket's buffer; raise "
                  "net.core.wmem_max, or use fewer names of columns and classes");
    if (error != EAGAIN && !wants_kernel_memory(error)) throw Error(errno_text("sendmsg", error));
    // Once: a writable socket that refuses again, for want of kernel memory, would do so for ever.
    if (std::exchange(waited, true)) return Sent::full;
    if (detail::wait_for(socket_.get(), POLLOUT, timeout) != Ready::yes) return Sent::full;
  }
}

namespace {

/// Room for a message, kept by each thread: 1 MiB is too much for the stack and for each call.
std::span<char> message_buffer() {
  thread_local std::vector<char> buffer(max_message_bytes);
  return buffer;
}

/// Not all of a message arrived; what did is still open.
void require_whole(const Fd& socket, int flags, std::size_t fds) {
  const std::string strange = " arrived (no Headrace process sends that); see who uses this socket";
  require((flags & MSG_TRUNC) == 0, "a message of more than " + std::to_string(max_message_bytes) + " bytes" + strange);
  if ((flags & MSG_CTRUNC) == 0) return;
  require(fds < max_message_fds,
          "a message with more than " + std::to_string(max_message_fds) + " descriptors" + strange);
  // There was room for them in the message, so they found none in this process.
  const Fd probe(fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  const int error = errno;
  const auto who = "process " + std::to_string(getpid());
  require(!probe, "the system kept " + who +
                      " from receiving descriptors that a message brought (a security policy?); ask its administrator");
  throw NoDescriptors(error == ENFILE
                          ? "no file descriptor left on this machine (fs.file-max) for what a message to " + who +
                                " brought; have that limit raised, or end what holds so many"
                          : "no file descriptor left in " + who + " for what a message brought (ulimit -n allows it " +
                                std::to_string(file_limit()) + "); raise that limit there, or have it close files");
}

}  // namespace

Received Connection::receive(std::chrono::milliseconds timeout) const {
  const auto buffer = message_buffer();
  alignas(cmsghdr) std::array<char, control_bytes> control{};
  iovec part{buffer.data(), buffer.size()};
  bool reset = false;
  for (bool waited = false;; waited = true) {
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto count = recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count >= 0) {
      Received received{Receipt::message,
                        {std::string(buffer.data(), static_cast<std::size_t>(count)), take_fds(header)}};
      try {
        require_whole(socket_, header.msg_flags, received.message.fds.size());
      } catch (NoDescriptors& error) {
        error.message = std::move(received.message.text);
        throw;
      }
      if (count == 0) received.what = Receipt::closed;  // nobody sends empty messages
      return received;
    }
    if (errno == EINTR) continue;
    // Of a peer that left without reading all of ours the kernel tells that first, and only then its last words.
    if (errno == ECONNRESET && !std::exchange(reset, true)) continue;
    if (peer_is_gone(errno)) return {Receipt::closed, {}};
    if (errno != EAGAIN) throw_errno("recvmsg");
    if (waited || timeout.count() == 0) return {Receipt::nothing, {}};
    const auto ready = detail::wait_for(socket_.get(), POLLIN, timeout);
    if (ready != Ready::yes) return {ready == Ready::no ? Receipt::nothing : Receipt::interrupted, {}};
  }
}

bool Connection::hung_up() const {
  return detail::wait_for(socket_.get(), POLLRDHUP, {}) == Ready::yes;
}

Peer Connection::peer() const {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) throw_errno("SO_PEERCRED");
  return {credentials.pid, credentials.uid};
}

void require_same_user(const Connection& connection, const std::string& who) {
  const auto peer = connection.peer();
  require(peer.uid == geteuid(), who + " belongs to another user (uid " + std::to_string(peer.uid) + ", process " +
                                     std::to_string(peer.pid) + "; ours is " + std::to_string(geteuid()) +
                                     "); a service and its trainers must run under one user");
}

void require_our_service(const Connection& connection, const Address& address) {
  const auto peer = connection.peer();
  require(peer.uid == geteuid(),
          "another user, uid " + std::to_string(peer.uid) + " (process " + std::to_string(peer.pid) + "), holds the " +
              (address.is_path() ? "path '" : "name '") + printable(address.service()) + "' on this node; use another" +
              (address.is_path() ? "" : " name, or a path: socket = PATH"));
}

}  // namespace headrace::ipc
