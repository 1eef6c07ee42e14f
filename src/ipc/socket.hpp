// Messages between processes of one node and one user: SOCK_SEQPACKET Unix sockets that carry text and descriptors.
//
//   1. A message arrives whole or not at all; order is kept. Longest text: max_message_bytes, as far as the system's
//      socket buffers allow (200 KiB always).
//   2. Nothing here blocks for longer than the timeout given; the default is not at all. Negative: no limit.
//   3. One thread at a time per object.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "ipc/fd.hpp"
#include "ipc/no_descriptor.hpp"

namespace headrace::ipc {

constexpr std::size_t max_message_bytes = 1 << 20;
constexpr std::size_t max_message_fds = 16;

/// Where a service of this user is found: "lcd" is an abstract name, anything with a '/' a path.
class Address {
 public:
  /// Error if the text can be neither.
  explicit Address(std::string_view service);
  const std::string& service() const { return service_; }
  bool is_path() const { return name_.front() != '\0'; }
  /// As the kernel takes it (sun_path).
  const std::string& name() const { return name_; }

 private:
  std::string service_, name_;
};

/// Who is at the other end, as the kernel knows it (of a connection made: whoever listens).
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
};

struct Message {
  std::string text;
  std::vector<Fd> fds;
};

enum class Receipt { message, nothing, interrupted, closed };
struct Received {
  Receipt what = Receipt::nothing;
  Message message;
};
enum class Sent { sent, full, closed };

class Connection {
 public:
  Connection() = default;
  /// Takes over a connected socket, also one that another process passed on.
  explicit Connection(Fd socket);
  /// Nothing if nobody listens there. Other failures are Errors.
  static std::optional<Connection> connect(const Address& address);

  /// full: the peer has not read earlier messages, and did not within the timeout (or the kernel has no memory for more
  /// now). Error if the text is too long.
  Sent send(std::string_view text, std::span<const int> fds = {}, std::chrono::milliseconds timeout = {}) const;
  /// Error for a message that is too long or carries too many descriptors; NoDescriptors if there are none left for
  /// those that it carries. Received descriptors are close-on-exec.
  Received receive(std::chrono::milliseconds timeout = {}) const;
  Peer peer() const;
  /// The peer has closed its end; what it said before may still be there. Does not wait. Any thread.
  bool hung_up() const;
  int fd() const { return socket_.get(); }
  explicit operator bool() const { return static_cast<bool>(socket_); }
  void close() { socket_.close(); }
  /// For passing the connection on to another process.
  Fd take() { return std::move(socket_); }

 private:
  Fd socket_;
};

/// Throws Error unless the peer runs under our uid. who: "the service 'lcd'".
void require_same_user(const Connection& connection, const std::string& who);
/// The same for whoever listens at the address of a service: anybody can take a name that is free.
void require_our_service(const Connection& connection, const Address& address);

/// Another process has the name of a service.
class NameTaken : public Error {
 public:
  NameTaken(const std::string& message, pid_t who) : Error(message), holder(who) {}
  pid_t holder;  ///< 0: it does not answer, as while it is just starting or ending
};

class Listener {
 public:
  /// NameTaken if a service of that name already runs. The socket of a dead server at a path is replaced.
  explicit Listener(Address address);
  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();  ///< withdraws

  /// Nothing if nobody came within the timeout. NoDescriptors if there is none left for who came: it goes on waiting.
  std::optional<Connection> accept(std::chrono::milliseconds timeout = {}) const;
  /// Removes its path, unless another server's socket is there now. For whoever leaves without destructors.
  void withdraw() noexcept;
  int fd() const { return socket_.get(); }
  const Address& address() const { return address_; }

 private:
  void bind_name();
  void bind_path();

  Address address_;
  Fd socket_;
  std::uint64_t device_ = 0, inode_ = 0;  // of the path made
};

/// Names of the services of this user on this node (this network namespace), sorted. Those at paths are not among them,
/// nor what another user put there, nor names that begin with a dot.
std::vector<std::string> list_services();

}  // namespace headrace::ipc
