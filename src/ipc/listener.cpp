#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/error.hpp"
#include "ipc/no_descriptor.hpp"
#include "ipc/socket_call.hpp"

namespace headrace::ipc {

using detail::Ready;

namespace {

constexpr std::chrono::seconds patience_with_locks{5};

[[noreturn]] void throw_taken(const Address& address, const std::optional<Connection>& holder) {
  if (holder) require_our_service(*holder, address);
  const pid_t pid = holder ? holder->peer().pid : 0;
  const std::string who =
      holder ? "pid " + std::to_string(pid)
             : "it does not listen: it is just starting or ending, or another user's process took the name";
  throw NameTaken("a service named '" + address.service() + "' already runs on this node (" + who +
                      "); choose another name or run: headrace stop " + address.service(),
                  pid);
}

bool try_bind(const Fd& socket, const Address& address) {
  const auto name = detail::raw(address);
  if (bind(socket.get(), name.get(), name.length) == 0) return true;
  if (errno == EADDRINUSE) return false;
  throw Error("cannot listen at '" + address.service() + "' (" + errno_text("bind", errno) +
              "); choose another name or path");
}

/// Held while a path is tested and replaced, so that two servers that start at once do not remove each other's socket.
/// Where the file system has no locks, or somebody else holds this one for seconds, that risk remains.
Fd lock_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  Fd fd(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto end = std::chrono::steady_clock::now() + patience_with_locks;
  while (fd && flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR) &&
         std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return fd;
}

/// Of a socket nobody answers at: whether its queue of callers is full, as of a service that stands still.
bool has_full_queue(const Address& address) {
  const Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto name = detail::raw(address);
  return fd && connect(fd.get(), name.get(), name.length) != 0 && errno == EAGAIN;
}

}  // namespace

Listener::Listener(Address address)
    : address_(std::move(address)), socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  if (!socket_) throw_no_descriptor("socket");
  if (address_.is_path())
    bind_path();
  else
    bind_name();
}

void Listener::bind_name() {
  if (!try_bind(socket_, address_)) throw_taken(address_, Connection::connect(address_));
  if (listen(socket_.get(), SOMAXCONN) != 0) throw_errno("listen");
}

void Listener::bind_path() {
  const auto& path = address_.service();
  const Fd lock = lock_folder_of(path);
  if (!try_bind(socket_, address_)) {
    struct stat info {};
    require(lstat(path.c_str(), &info) != 0 || S_ISSOCK(info.st_mode),
            "'" + path + "' is there already and is no socket; choose another path");
    if (const auto holder = Connection::connect(address_)) throw_taken(address_, holder);
    require(!has_full_queue(address_), "a service at '" + path +
                                           "' already runs on this node, and stands still (its queue of callers is "
                                           "full); end it, or choose another path");
    unlink(path.c_str());  // of a server that is dead
    if (!try_bind(socket_, address_)) throw_taken(address_, std::nullopt);
  }
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) throw_errno("stat of " + path);
  device_ = info.st_dev;
  inode_ = info.st_ino;
  // Within the lock: whoever finds a socket that does not listen takes it for a dead server's.
  if (listen(socket_.get(), SOMAXCONN) != 0) throw_errno("listen");
}

Listener::~Listener() {
  withdraw();
}

void Listener::withdraw() noexcept {
  if (!socket_ || !address_.is_path()) return;
  struct stat info {};
  if (stat(address_.service().c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_)
    unlink(address_.service().c_str());
}

std::optional<Connection> Listener::accept(std::chrono::milliseconds timeout) const {
  for (bool waited = false;; waited = true) {
    Fd fd(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) return Connection(std::move(fd));
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) throw_no_descriptor("accept");
    if (waited || timeout.count() == 0 || detail::wait_for(socket_.get(), POLLIN, timeout) != Ready::yes)
      return std::nullopt;
  }
}

}  // namespace headrace::ipc
