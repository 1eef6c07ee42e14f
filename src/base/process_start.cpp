#include "base/process_start.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

#include "base/file_limit.hpp"

namespace headrace {

namespace {

bool no_output = false;
sigset_t ignored_by_us;
bool any_ignored = false;

/// open() takes the lowest free number, and they are filled from 0 on.
void open_if_closed(int fd) noexcept {
  if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) return;
  if (fd == STDOUT_FILENO) no_output = true;
  [[maybe_unused]] const int opened = open("/dev/null", O_RDWR);
}

}  // namespace

void start_process() noexcept {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) open_if_closed(fd);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGXFSZ}) ignore_signal(signal);
  signal(SIGCHLD, SIG_DFL);
  raise_file_limit();
}

bool output_was_closed() noexcept {
  return no_output;
}

void ignore_signal(int signal) noexcept {
  struct sigaction now {};
  if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler == SIG_IGN) return;
  if (!any_ignored) sigemptyset(&ignored_by_us);
  any_ignored = true;
  sigaddset(&ignored_by_us, signal);
  struct sigaction nothing {};
  nothing.sa_handler = SIG_IGN;
  sigaction(signal, &nothing, nullptr);
}

sigset_t signals_to_restore() noexcept {
  sigset_t none;
  sigemptyset(&none);
  return any_ignored ? ignored_by_us : none;
}

void restore_for_child() noexcept {
  restore_file_limit();
  const auto ours = signals_to_restore();
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal)
    if (sigismember(&ours, signal) == 1) sigaction(signal, &usual, nullptr);
  // What is blocked stays blocked across exec, and then nobody could end the child.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace headrace
