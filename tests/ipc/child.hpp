// A forked child of a test. It ends with its parent, never runs the test framework's end, and is reaped.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <utility>

class Child {
 public:
  /// Runs body in a child; what it returns is the exit code, 99 for an exception.
  explicit Child(const std::function<int()>& body) : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int code = 99;
    try {
      code = body();
    } catch (...) {
    }
    _exit(code);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) kill(), wait();
  }
  pid_t pid() const { return pid_; }
  void kill(int signal = SIGKILL) const {
    if (pid_ > 0) ::kill(pid_, signal);  // -1, once it is reaped, would be everybody
  }
  /// Exit code, or minus the signal.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_;
};
