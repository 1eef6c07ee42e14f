#include "service/signals.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <future>

namespace headrace::service {

namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR2}) sigaddset(&set, signal);
  return set;
}

constexpr int quit_watching = SIGUSR2;  // sent by the destructor to its own thread only
constexpr auto farewell_limit = std::chrono::milliseconds(200);

}  // namespace

void Signals::block() {
  const auto set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::Signals() : thread_([this] { watch(); }) {}

Signals::~Signals() {
  pthread_kill(thread_.native_handle(), quit_watching);
  thread_.join();
}

void Signals::on_end(std::function<void(const std::string&)> farewell) {
  const std::lock_guard lock(mutex_);
  farewell_ = std::move(farewell);
}

void Signals::watch() {
  const auto set = ending_signals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  if (signal == quit_watching) return;
  const std::string name = signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "SIGHUP";
  // On a thread of its own, never joined: if it hangs, the process ends all the same.
  std::promise<void> said;
  auto done = said.get_future();
  std::thread([this, name, said = std::move(said)]() mutable {
    const std::lock_guard lock(mutex_);
    if (farewell_) farewell_(name);
    said.set_value();
  }).detach();
  done.wait_for(farewell_limit);
  std::fflush(nullptr);
  _exit(128 + signal);
}

}  // namespace headrace::service
