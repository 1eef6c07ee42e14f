// What tests of Helper start: answers requests, or ends as it is asked to.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ipc/helper.hpp"

using namespace headrace::ipc;

namespace {

std::string open_descriptors() {
  std::string all;
  for (int fd = 0; fd < 1000; ++fd)
    if (fcntl(fd, F_GETFD) >= 0) all += std::to_string(fd) + " ";
  return all;
}

std::string settings() {
  rlimit core{}, data{};
  getrlimit(RLIMIT_CORE, &core);
  getrlimit(RLIMIT_DATA, &data);
  int death = 0;
  prctl(PR_GET_PDEATHSIG, &death);
  sigset_t blocked;
  sigprocmask(SIG_SETMASK, nullptr, &blocked);
  struct sigaction pipe {};
  sigaction(SIGPIPE, nullptr, &pipe);
  std::string text = "core " + std::to_string(core.rlim_cur) + " memory " + std::to_string(data.rlim_cur >> 20) +
                     " death " + std::to_string(death) + " term blocked " +
                     std::to_string(sigismember(&blocked, SIGTERM)) + " pipe ignored " +
                     std::to_string(pipe.sa_handler == SIG_IGN) + " group " + std::to_string(getpgrp() == getpid());
  return text;
}

std::string answer(const std::string& request, std::byte* shared) {
  if (request == "descriptors") return open_descriptors();
  if (request == "settings") return settings();
  if (request == "crash") std::signal(SIGSEGV, SIG_DFL), raise(SIGSEGV);  // sanitizers have handlers of their own
  if (request == "leave") _exit(7);
  if (request == "spin")
    for (;;) static_cast<void>(getppid());
  if (request == "sleep")
    for (;;) pause();
  if (request == "print") std::puts("printed"), std::fputs("told\n", stderr), std::fflush(nullptr);
  if (request == "note") std::strcpy(reinterpret_cast<char*>(shared), "noted");
  if (request == "bomb") return std::malloc(std::size_t{1} << 33) == nullptr ? "refused" : "given";
  return request + "!";
}

}  // namespace

int main(int, char** argv) {
  const auto side = HelperSide::begin(std::atoi(argv[1]), 4096, std::uint64_t{256} << 20);
  if (!side) return 1;
  while (const auto request = side->receive())
    if (!side->send(answer(*request, side->shared()))) return 2;
  return 0;
}
