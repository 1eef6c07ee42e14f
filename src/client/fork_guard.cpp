#include "client/fork_guard.hpp"

#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace headrace::client {

namespace {

std::mutex guard;
std::vector<Stream*>& streams() {
  static auto* const all = new std::vector<Stream*>;  // never destroyed: a fork may come after the statics are gone
  return *all;
}

void before_fork() {
  guard.lock();
}
void in_parent() {
  guard.unlock();
}
void in_child() {
  for (auto* stream : streams()) stream->forget();
  streams().clear();
  guard.unlock();
}

}  // namespace

void remember_stream(Stream& stream) {
  static std::once_flag once;
  std::call_once(once, [] {
    if (const int error = pthread_atfork(before_fork, in_parent, in_child); error != 0)
      throw Error(errno_text("pthread_atfork", error));
  });
  const std::lock_guard lock(guard);
  streams().push_back(&stream);
}

void forget_stream(Stream& stream) {
  const std::lock_guard lock(guard);
  std::erase(streams(), &stream);
}

}  // namespace headrace::client
