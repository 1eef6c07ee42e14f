#include "client/fork_guard.hpp"

#include <pthread.h>

#include <algorithm>
#include <mutex>  // call_once
#include <vector>

#include "base/mutex.hpp"

namespace headrace::client {

namespace {

Mutex guard;
std::vector<Stream*>& streams() REQUIRES(guard) {
  static auto* const all = new std::vector<Stream*>;  // never destroyed: a fork may come after the statics are gone
  return *all;
}

// Held over the fork, so that the child finds the list whole. No other lock is: the child takes none of a stream's.
void before_fork() ACQUIRE(guard) {
  guard.lock();
}
void in_parent() RELEASE(guard) {
  guard.unlock();
}
void in_child() RELEASE(guard) {
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
  const Lock lock(guard);
  streams().push_back(&stream);
}

void forget_stream(Stream& stream) {
  const Lock lock(guard);
  std::erase(streams(), &stream);
}

}  // namespace headrace::client
