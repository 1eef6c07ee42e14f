#include "ipc/helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/process_start.hpp"
#include "ipc/helper_wire.hpp"
#include "ipc/no_descriptor.hpp"

namespace headrace::ipc {

namespace {

constexpr int ask_every_ms = 200;
constexpr std::chrono::milliseconds look_every{1};
constexpr std::chrono::seconds most_for_the_kernel{5};

/// posix_spawn's two bags of settings.
struct Spawning {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  Spawning(int socket, int memory) {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, memory, helper_memory);
    // A group of its own: what a terminal sends to ours does not look like a crash.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    const auto defaults = signals_to_restore();
    posix_spawnattr_setsigdefault(&attributes, &defaults);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;
  ~Spawning() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

Helper::Helper(const std::string& program, const std::vector<std::string>& arguments, std::uint64_t shared) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_no_descriptor("socketpair");
  socket_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  const auto memory = make_memfd("headrace-helper", shared);
  shared_ = Mapping::map(memory, shared);
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.push_back(std::to_string(getpid()));
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Spawning spawning(theirs.get(), memory.get());
  const int failure = posix_spawn(&pid_, program.c_str(), &spawning.files, &spawning.attributes, argv.data(), environ);
  if (failure == 0) return;
  pid_ = -1;
  throw Error("cannot start the process that files are opened in (" + errno_text(program, failure) + ")");
}

Helper::~Helper() {
  end();
}

bool Helper::send(std::string_view text, const std::function<bool()>& go_on) const {
  const std::uint64_t length = text.size();
  return give({reinterpret_cast<const char*>(&length), sizeof length}, go_on) && give(text, go_on);
}

bool Helper::give(std::string_view bytes, const std::function<bool()>& go_on) const {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    pollfd entry{socket_.get(), POLLOUT, 0};
    if (poll(&entry, 1, ask_every_ms) <= 0 && (has_ended() || !go_on())) return false;
  }
  return true;
}

bool Helper::take(std::string& to, std::size_t bytes, const std::function<bool()>& go_on) const {
  constexpr std::size_t piece = 1 << 20;  // lengths are not believed before the bytes are there
  while (bytes > 0) {
    pollfd entry{socket_.get(), POLLIN, 0};
    const int ready = poll(&entry, 1, ask_every_ms);
    if (ready <= 0) {
      // Asked again: its last words may have come before its end. Its end of the socket need not close with it, as what it
      // started may hold that, too.
      if ((has_ended() && poll(&entry, 1, 0) <= 0) || !go_on()) return false;
      continue;
    }
    const auto before = to.size();
    to.resize(before + std::min(bytes, piece));
    const auto got = recv(socket_.get(), to.data() + before, to.size() - before, MSG_DONTWAIT);
    to.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return false;
    bytes -= to.size() - before;
  }
  return true;
}

std::optional<std::string> Helper::receive(const std::function<bool()>& go_on) const {
  std::string length, text;
  if (!take(length, sizeof(std::uint64_t), go_on) || !take(text, framed_length(length), go_on)) return std::nullopt;
  return text;
}

bool Helper::has_ended() const {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

std::chrono::nanoseconds Helper::cpu_time() const {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

int Helper::end() noexcept {
  if (pid_ < 0) return 0;
  socket_.close();
  int status = SIGKILL;
  // Killed where it did not end by itself: one that crashes is dead before its end of the socket is closed. One that
  // stands in a file system that does not answer stays with the kernel, and goes once that lets go of it.
  kill(pid_, SIGKILL);
  for (const auto until = Clock::now() + most_for_the_kernel;; std::this_thread::sleep_for(look_every)) {
    const auto reaped = waitpid(pid_, &status, WNOHANG);
    if (reaped == pid_ || (reaped < 0 && errno != EINTR) || Clock::now() > until) break;
  }
  pid_ = -1;
  return status;
}

}  // namespace headrace::ipc
