// Which windows of the files are in memory while trainers are served already, decided at stager 0 (start = early). Pure
// bookkeeping, called from one thread.
//
//   read(w)   all stagers go on with that window, once what they are at is there, and from there on in turn
//   open(w)   all of them have it: its rows may be given out
//
//   1. Each window is read once and opened once.
//   2. Who waits for a window, as a trainer does that goes on in the middle of epoch 0, gets it before others: in the
//      order in which they asked, so that nobody is passed over again and again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace headrace::service::books {

/// What all stagers are to do about a window.
struct ArrivalOrder {
  enum class What : std::uint8_t { read, open };
  What what = What::read;
  std::uint64_t window = 0;
  bool operator==(const ArrivalOrder&) const = default;
};

class ArrivalBook {
 public:
  using Send = std::function<void(const ArrivalOrder& order)>;

  ArrivalBook(std::uint64_t windows, std::uint32_t stagers, Send send);

  void begin();
  /// A trainer can do nothing before it has that one: what it wanted before, it wants no more.
  void want(std::uint32_t stream, std::uint32_t rank, std::uint64_t window);
  /// A stager has it in memory.
  void loaded(std::uint32_t stager, std::uint64_t window);

  std::uint64_t windows() const { return open_.size(); }
  std::uint64_t opened() const { return opened_; }
  bool complete() const { return opened_ == open_.size(); }
  bool is_open(std::uint64_t window) const { return open_[window]; }
  /// That is read next, or now.
  std::uint64_t current() const;

 private:
  void serve_first();

  Send send_;
  const std::uint32_t stagers_;
  std::vector<std::vector<bool>> has_;  // by window, of each stager
  std::vector<bool> open_;
  std::uint64_t opened_ = 0, first_ = 0;
  struct Want {
    std::uint32_t stream, rank;
    std::uint64_t window;
  };
  std::deque<Want> wanted_;  // not open yet
};

}  // namespace headrace::service::books
