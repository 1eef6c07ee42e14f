#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/file_limit.hpp"
#include "ipc/helper.hpp"
#include "ipc/helper_wire.hpp"

namespace headrace::ipc {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;  // sanitizers map terabytes that nobody touches
#else
constexpr bool sanitized = false;
#endif

void close_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0) == 0) return;
#endif
  for (int fd = first; fd < static_cast<int>(std::min<std::uint64_t>(file_limit(), 1 << 16)); ++fd) ::close(fd);
}

void limit(std::uint64_t memory) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (sanitized) return;
  rlimit data{};
  getrlimit(RLIMIT_DATA, &data);
  data.rlim_cur = std::min<rlim_t>(data.rlim_max, memory);
  setrlimit(RLIMIT_DATA, &data);
}

void be_the_first_to_go() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const auto written = write(fd, "1000", 4);
  ::close(fd);
}

/// False where there is nothing more.
bool read_all(char* to, std::size_t bytes) {
  while (bytes > 0) {
    const auto got = read(STDIN_FILENO, to, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

/// False where the other side is gone.
bool send_framed(int socket, std::string_view text) {
  const std::uint64_t length = text.size();
  std::string framed(reinterpret_cast<const char*>(&length), sizeof length);
  framed += text;
  for (std::size_t at = 0; at < framed.size();) {
    const auto sent = ::send(socket, framed.data() + at, framed.size() - at, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    at += static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

std::uint64_t framed_length(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

std::optional<HelperSide> HelperSide::begin(pid_t starter, std::uint64_t shared, std::uint64_t memory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != starter) return std::nullopt;  // it was gone before it could be told to us
  close_from(helper_memory + 1);
  limit(memory);
  be_the_first_to_go();
  prctl(PR_SET_DUMPABLE, 0);  // no core, also where a program takes the cores; /proc/self is root's from here on
  try {
    const Fd fd(helper_memory);
    return HelperSide(Mapping::map(fd, shared));
  } catch (const Error&) {
    return std::nullopt;  // nobody started us as a helper
  }
}

std::optional<std::string> HelperSide::receive() const {
  std::string length(sizeof(std::uint64_t), '\0');
  if (!read_all(length.data(), length.size())) return std::nullopt;
  std::string text(framed_length(length), '\0');
  if (!read_all(text.data(), text.size())) return std::nullopt;
  return text;
}

bool HelperSide::send(std::string_view text) const {
  return send_framed(STDIN_FILENO, text);
}

}  // namespace headrace::ipc
