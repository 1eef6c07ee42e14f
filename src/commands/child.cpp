#include "commands/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/process_start.hpp"

namespace headrace::commands {

namespace {

sigset_t handed_on_and_end() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGXCPU, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGCHLD})
    sigaddset(&set, signal);
  // Blocked, it would arrive even if it was ignored from the start (nohup), as it is by the program then.
  struct sigaction hang_up {};
  if (sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  return set;
}

bool asks_to_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT || signal == SIGXCPU;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const auto& text : texts) all.push_back(const_cast<char*>(text.c_str()));  // exec takes them so, and reads
  all.push_back(nullptr);
  return all;
}

}  // namespace

void Child::block_signals() {
  const auto set = handed_on_and_end();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void Child::unblock_signals() {
  const auto set = handed_on_and_end();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Child::Child(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  const auto arguments = pointers(command), variables = pointers(environment);
  std::array<int, 2> failure{};  // exec closes it; else errno comes through it
  require(::pipe2(failure.data(), O_CLOEXEC) == 0, std::string("cannot make a pipe (") + std::strerror(errno) + ")");
  const pid_t parent = getpid();
  pid_ = fork();
  require(pid_ >= 0, std::string("cannot fork (") + std::strerror(errno) + ")");
  if (pid_ == 0) {  // other threads are gone here: system calls only
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    setpgid(0, 0);  // a launcher's signal to our group comes to it once, by us
    restore_for_child();
    execvpe(arguments[0], arguments.data(), variables.data());
    const int code = errno;
    [[maybe_unused]] const auto written = write(failure[1], &code, sizeof code);
    _exit(127);
  }
  ::close(failure[1]);
  int code = 0;
  const bool failed = read(failure[0], &code, sizeof code) == sizeof code;
  ::close(failure[0]);
  if (!failed) return;
  waitpid(pid_, nullptr, 0);
  throw UsageError("cannot start '" + command[0] + "' (" + std::strerror(code) + ")");
}

int Child::wait() {
  const auto set = handed_on_and_end();
  for (;;) {
    int signal = 0, status = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal != SIGCHLD) {
      kill(pid_, signal);
      asked_to_end_ |= asks_to_end(signal);
      if (signal == SIGTSTP) raise(SIGSTOP);  // a shell must see that its job has stopped
      continue;
    }
    if (waitpid(pid_, &status, WNOHANG) != pid_) continue;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
  }
}

}  // namespace headrace::commands
