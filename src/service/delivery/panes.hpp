// What of a stream that is read window by window may be given out, and where it lies: the gate between feeds, which
// would go on, and the loaders, which may write over what nobody needs.
//
//   turn()   only batches of these windows are begun from now on; left() follows once no other is under way here
//   lay()    where their blocks lie, or will: asked by requests of other nodes, which may know sooner than this one
//            that a window is open
//   open()   a window is in the memory of all stagers: feeds that wait for it go on
//
//   1. Rows of a window are copied only between enter() and leave() of a batch of it, on whatever node: a request to
//      another node is a part of such a batch.
//   2. Loaders write into a pane only after all stagers have left what was in it, and open() comes only after all have
//      written: so nobody copies what is being written. The messages of a turn pass through sockets, which order
//      memory between processes of a node as between threads.
//
// Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/mutex.hpp"
#include "service/blueprint/windowing.hpp"

namespace headrace::service::delivery {

class Panes {
 public:
  using Span = blueprint::Windowing::Span;

  explicit Panes(const blueprint::Windowing& windowing, std::size_t streams)
      : windowing_(windowing), streams_(streams) {}

  const blueprint::Windowing& windowing() const { return windowing_; }
  bool covers(std::uint32_t stream) const { return windowing_.covers(stream); }

  // Feeds, about batches:

  enum class Gate {
    open,    ///< begun: leave() must follow
    closed,  ///< ready() comes once when a window was opened since; ask again then
    never,   ///< it is of more than two windows
  };
  /// who: that waits; its newest question counts.
  Gate enter(std::uint32_t stream, const Span& span, const void* who, std::function<void()> ready) EXCLUDES(mutex_);
  void leave(std::uint32_t stream, const Span& span) EXCLUDES(mutex_);

  // The host, as stager 0 says:

  void turn(std::uint32_t stream, plan::EpochWindow at, std::optional<plan::EpochWindow> next,
            std::function<void()> left) EXCLUDES(mutex_);
  /// pane: that of `at`; the other is that of the next.
  void lay(std::uint32_t stream, plan::EpochWindow at, std::optional<plan::EpochWindow> next, std::uint32_t pane)
      EXCLUDES(mutex_);
  void open(std::uint32_t stream, plan::EpochWindow window) EXCLUDES(mutex_);

  /// Memory rows of ascending ordinals of an epoch, of windows that are laid out. Throws Error for others.
  void locate(std::uint32_t stream, std::uint64_t epoch, std::span<const std::uint64_t> ordinals,
              std::span<std::uint32_t> rows) const EXCLUDES(mutex_);

 private:
  struct Laid {  // of one epoch: blocks of one window or two, ascending
    std::uint64_t epoch = 0;
    std::vector<blueprint::PlacedBlock> blocks;
  };
  using Layout = std::vector<Laid>;
  struct Stream {
    std::vector<plan::EpochWindow> wanted, opened;
    std::map<plan::EpochWindow, std::uint32_t> under_way;  // batches
    std::function<void()> left;                            // unless it was called
    std::map<const void*, std::function<void()>> waiting;
    std::shared_ptr<const Layout> layout = std::make_shared<const Layout>();
  };
  /// Takes the callback if it is due.
  static std::function<void()> has_left(Stream& stream);

  const blueprint::Windowing& windowing_;
  mutable Mutex mutex_;
  std::vector<Stream> streams_ GUARDED_BY(mutex_);
};

}  // namespace headrace::service::delivery
