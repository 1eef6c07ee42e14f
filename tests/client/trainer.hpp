// For tests of the trainers' library: fake_stager as a child, and the C API with less typing.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "headrace/headrace.h"

inline std::string unique_name(const std::string& what) {
  static int count = 0;
  return what + "." + std::to_string(getpid()) + "." + std::to_string(++count);
}

class FakeStager {
 public:
  explicit FakeStager(std::vector<std::string> options, const std::string& as = unique_name("fake")) : name(as) {
    options.insert(options.begin(), {"fake_stager", "--name", name});
    std::vector<char*> arguments;
    for (auto& option : options) arguments.push_back(option.data());
    arguments.push_back(nullptr);
    int ends[2];
    BOOST_REQUIRE_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    BOOST_REQUIRE(pid >= 0);
    if (pid == 0) {
      dup2(ends[1], 1);
      execv(FAKE_STAGER, arguments.data());
      _exit(127);
    }
    close(ends[1]);
    out_ = ends[0];
    BOOST_REQUIRE_EQUAL(line(), "ready " + name);
  }
  FakeStager(const FakeStager&) = delete;
  FakeStager& operator=(const FakeStager&) = delete;
  ~FakeStager() {
    kill();
    if (pid > 0) wait();
    close(out_);
  }
  void kill() const {
    if (pid > 0) ::kill(pid, SIGKILL);  // -1, once it is reaped, would be everybody
  }
  /// The next line that it prints; empty at its end.
  std::string line() const {
    std::string text;
    for (char c = 0; read(out_, &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }
  /// Exit code, or minus the signal; waits for the end.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  const std::string name;
  pid_t pid = -1;

 private:
  int out_ = -1;
};

/// A stream that is closed as if its trainer had died, unless close() was called.
class Trainer {
 public:
  explicit Trainer(const std::string& service, double timeout = 20) {
    hr_options options = HR_OPTIONS_INIT;
    options.service = service.c_str();
    options.timeout = timeout;
    code = hr_connect(&options, &stream);
    error = code == HR_OK ? "" : hr_error();
  }
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;
  ~Trainer() { close(false, false); }
  void close(bool goodbye, bool keep) {
    if (stream != nullptr) hr_close(std::exchange(stream, nullptr), goodbye, keep);
  }
  int acquire(hr_batch& batch, double timeout = 20) const { return hr_acquire(stream, timeout, &batch); }
  hr_stream* stream = nullptr;
  int code = HR_OK;
  std::string error;
};

inline bool error_says(const std::string& text) {
  const bool found = std::string(hr_error()).find(text) != std::string::npos;
  if (!found) BOOST_TEST_MESSAGE("'" << hr_error() << "' lacks '" << text << "'");
  return found;
}

/// Returns once another thread is inside hr_acquire of the stream, waiting.
inline void until_another_waits(const Trainer& trainer) {
  hr_batch batch = HR_BATCH_INIT;
  while (trainer.acquire(batch, 0) != HR_TIMEOUT ||
         std::string(hr_error()).find("another thread's") == std::string::npos) {
  }
}
