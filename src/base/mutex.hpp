// Locks that say what they guard, so that a compiler can check it: clang with -Wthread-safety (tools/check_locks). To
// every other compiler the words are comments. std::mutex is not used outside this file: clang cannot see it.
//
//   Mutex mutex_;
//   int count_ GUARDED_BY(mutex_) = 0;        // read and written with the lock held only
//   void add() REQUIRES(mutex_);              // the caller holds it
//   void wait() EXCLUDES(mutex_);             // the caller must not hold it: it is taken here
//
//   1. A lambda is a function of its own to the check: a wait with a condition is a loop around wait(), no predicate;
//      one that is called where it stands says so: [&]() REQUIRES(mutex_) { ... }.
//   2. What one thread alone touches is not guarded; the header of its class says which thread.
//   3. Something else than a Mutex can be held, too: class CAPABILITY("turn") Turn (client/turn.hpp).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define HEADRACE_ANNOTATION(x) __attribute__((x))
#else
#define HEADRACE_ANNOTATION(x)
#endif
// Of a class: it can be held; it holds something from its constructor to its destructor.
#define CAPABILITY(kind) HEADRACE_ANNOTATION(capability(kind))
#define SCOPED_CAPABILITY HEADRACE_ANNOTATION(scoped_lockable)
// Of a member: what must be held to touch it, or what it points to.
#define GUARDED_BY(lock) HEADRACE_ANNOTATION(guarded_by(lock))
#define PT_GUARDED_BY(lock) HEADRACE_ANNOTATION(pt_guarded_by(lock))
// Of a function: what its caller holds or does not hold, and what it takes or gives back.
#define REQUIRES(...) HEADRACE_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) HEADRACE_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) HEADRACE_ANNOTATION(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) HEADRACE_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...) HEADRACE_ANNOTATION(release_capability(__VA_ARGS__))
// Of a function that the check cannot follow; a comment says why it is right.
#define NOT_CHECKED_FOR_LOCKS HEADRACE_ANNOTATION(no_thread_safety_analysis)

namespace headrace {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class Lock;
  std::mutex mutex_;
};

/// Holds a Mutex to the end of the block, but for what stands between unlock() and lock().
class SCOPED_CAPABILITY Lock {
 public:
  explicit Lock(Mutex& mutex) ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~Lock() RELEASE() {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  void unlock() RELEASE() { lock_.unlock(); }
  void lock() ACQUIRE() { lock_.lock(); }

 private:
  friend class Condition;
  std::unique_lock<std::mutex> lock_;
};

/// A condition variable. Waits may end for no reason: ask again, in a loop. Any thread.
class Condition {
 public:
  void wait(Lock& lock) { condition_.wait(lock.lock_); }
  /// False once the time has come.
  template <class Clock, class Duration>
  bool wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> when) {
    return condition_.wait_until(lock.lock_, when) == std::cv_status::no_timeout;
  }
  template <class Rep, class Period>
  bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> length) {
    return condition_.wait_for(lock.lock_, length) == std::cv_status::no_timeout;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace headrace
