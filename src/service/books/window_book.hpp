// Which windows of a stream are in memory, decided at stager 0: those of the trainer that is furthest behind, and the
// one after that. Pure bookkeeping, called from one thread.
//
//   the lowest window that somebody needs has changed
//     --leave--> all stagers begin no batch of other windows --left-->
//     --read---> all read what is wanted and not there      --loaded-->
//     --open---> all give it out
//
//   1. Nothing is written over before every stager has left it: also where a trainer goes back, and batches of windows
//      further on are under way.
//   2. A turn that is overtaken by another is forgotten: answers name the turn that they are of.
//   3. The minimum goes on: its own batches are of the two windows that are read for it. So whoever goes back is served,
//      and the others wait until it has come to where they are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/windows.hpp"

namespace headrace::service::books {

/// What all stagers are to do about the windows of a stream.
struct WindowOrder {
  enum class What : std::uint8_t { leave, read, open };
  What what = What::leave;
  std::uint32_t stream = 0;
  std::uint64_t turn = 0;
  plan::EpochWindow at{};
  std::optional<plan::EpochWindow> next{};
  std::uint32_t pane = 0;  ///< that of `at`
  bool both = false;       ///< open: the next one, too
  bool operator==(const WindowOrder&) const = default;
};

/// Who keeps a window in memory.
struct WindowHolder {
  std::uint32_t rank = 0;
  std::optional<plan::EpochWindow> at{};  ///< nothing: it needs none any more
  std::string who{};                      ///< "trainer 3 (process 4711 on n03)", "trainer 5, which has not come"
};

class WindowBook {
 public:
  using Next = std::function<std::optional<plan::EpochWindow>(plan::EpochWindow at)>;
  using Send = std::function<void(const WindowOrder& order)>;

  /// next: the window after another.
  WindowBook(std::uint32_t stream, std::uint32_t stagers, Next next, Send send)
      : stream_(stream), next_(std::move(next)), send_(std::move(send)), left_(stagers), loaded_(stagers) {}

  /// All that hold windows, of whom nothing else is known any more. None: `otherwise` is what will be wanted.
  void hold(std::vector<WindowHolder> holders, std::optional<plan::EpochWindow> otherwise);
  /// One of them has moved on, or back.
  void moved(std::uint32_t rank, std::optional<plan::EpochWindow> at);

  // Answers of stagers:
  void left(std::uint32_t stager, std::uint64_t turn);
  void loaded(std::uint32_t stager, std::uint64_t turn, bool both);

  /// Where it stands; nothing before the first turn.
  const std::optional<plan::EpochWindow>& at() const { return at_; }
  const std::optional<plan::EpochWindow>& next() const { return after_; }
  /// What is open of it.
  unsigned opened() const { return opened_; }
  std::uint64_t turn() const { return turn_; }
  /// The first that keep it where it is.
  std::vector<WindowHolder> holding(std::size_t most) const;

 private:
  void consider();
  WindowOrder order(WindowOrder::What what) const { return {what, stream_, turn_, *at_, after_, pane_, false}; }

  const std::uint32_t stream_;
  Next next_;
  Send send_;
  std::map<std::uint32_t, WindowHolder> holders_;
  std::optional<plan::EpochWindow> otherwise_, at_, after_;
  std::uint64_t turn_ = 0;
  std::uint32_t pane_ = 0;
  std::vector<bool> left_;
  std::vector<std::uint8_t> loaded_;  // windows of this turn
  bool reading_ = false;
  unsigned opened_ = 0;
};

}  // namespace headrace::service::books
