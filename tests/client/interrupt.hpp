// Signals for a thread that waits.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <thread>

inline std::atomic<int> signals_seen{0};

/// Sends signals to a thread until it says that it is done.
struct Signals {
  struct sigaction before {};
  Signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { ++signals_seen; };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, &before);
  }
  ~Signals() { sigaction(SIGUSR1, &before, nullptr); }
  static void at(std::thread& thread, const std::atomic<bool>& done) {
    while (!done) pthread_kill(thread.native_handle(), SIGUSR1), std::this_thread::yield();
    thread.join();
  }
};
