#include "job/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <future>
#include <utility>

#include "base/error.hpp"
#include "base/process_start.hpp"
#include "base/wait.hpp"
#include "mpi/launcher.hpp"

namespace headrace::job {

namespace {

using namespace std::chrono_literals;

// The host's own (service/host), and a moment.
const auto farewell_limit = wait_of("HEADRACE_WAIT_FAREWELL", 350ms) + 50ms;

bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

/// Those that the thread waits for. A blocked signal arrives even if it is ignored, so one that is to be ignored must
/// not be among them.
sigset_t awaited() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGXCPU, SIGUSR1}) sigaddset(&set, signal);
  if (!is_ignored(SIGHUP)) sigaddset(&set, SIGHUP);
  return set;
}

const char* name_of(int signal) {
  switch (signal) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    case SIGXCPU:
      return "SIGXCPU";
    default:
      return "SIGHUP";
  }
}

}  // namespace

void Signals::block() {
  const auto set = awaited();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  for (const int signal : {SIGUSR2, SIGPIPE, SIGXFSZ}) ignore_signal(signal);
}

Signals::Signals() : quit_(ipc::Bell::make()) {
  const auto set = awaited();
  arrived_ = ipc::Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!arrived_) throw_errno("signalfd");
  thread_ = std::thread([this] { watch(); });
}

Signals::~Signals() {
  quit_.ring();
  thread_.join();
}

void Signals::on_end(std::function<void(const std::string&)> farewell) {
  const Lock lock(mutex_);
  farewell_ = std::move(farewell);
}

void Signals::on_stop(std::function<bool(const std::string&)> stop) {
  const Lock until_called(calling_);
  const Lock lock(mutex_);
  stop_ = std::move(stop);
}

void Signals::on_report(std::function<void()> report) {
  const Lock lock(mutex_);
  report_ = std::move(report);
}

void Signals::watch() {
  pthread_setname_np(pthread_self(), "signals");
  for (;;) {
    std::array<pollfd, 2> sources{pollfd{arrived_.get(), POLLIN, 0}, pollfd{quit_.fd(), POLLIN, 0}};
    if (poll(sources.data(), sources.size(), -1) < 0) continue;
    if (sources[1].revents != 0) return;
    signalfd_siginfo info{};
    if (read(arrived_.get(), &info, sizeof info) != sizeof info) continue;
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGUSR1)
      report();
    else if (!ends_by_itself(signal))
      end(signal);
  }
}

void Signals::report() {
  const Lock lock(mutex_);
  if (report_) return report_();
  if (mpi::is_first()) std::fputs("headrace: starting\n", stderr);  // the log is not there yet
}

bool Signals::ends_by_itself(int signal) {
  const Lock calling(calling_);
  std::function<bool(const std::string&)> stop;
  {
    const Lock lock(mutex_);
    stop = std::exchange(stop_, nullptr);
  }
  return stop && stop(name_of(signal));
}

void Signals::end(int signal) {
  // On a thread of its own, never joined: if it hangs, the process ends all the same.
  std::promise<void> said;
  auto done = said.get_future();
  std::thread([this, name = std::string(name_of(signal)), said = std::move(said)]() mutable {
    const Lock lock(mutex_);
    if (farewell_) farewell_(name);
    said.set_value();
  }).detach();
  done.wait_for(farewell_limit);
  std::fflush(nullptr);
  _exit(128 + signal);
}

}  // namespace headrace::job
