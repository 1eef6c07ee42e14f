// Turns of windows as stager 0 sees them: who needs what, what is read and open, and how people are told. One for the
// service; the coordinator's, in the host's thread. The decisions are books/window_book.hpp's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "service/blueprint/windowing.hpp"
#include "service/books/figures.hpp"
#include "service/books/messages.hpp"
#include "service/books/registry.hpp"
#include "service/books/window_book.hpp"
#include "service/host/event_log.hpp"

namespace headrace::service::host {

class WindowHead {
 public:
  using Send = std::function<void(const books::WindowOrder& order)>;  ///< to all nodes

  WindowHead(const blueprint::Blueprint& blueprint, const blueprint::Windowing& windowing,
             const books::Registry& registry, std::uint32_t stagers, EventLog& events, Send send);

  /// Who there is of the stream may be others now; at the beginning, for all streams.
  void refresh(std::uint32_t stream);
  void begin();
  void hear(const books::AtWindow& message);
  void hear(const books::WindowAnswer& message);
  void hear(const books::ReadingWindow& message);
  void tick(Clock::time_point now);
  /// What a look at the stream shows; nothing where it is not read window by window.
  std::optional<books::WindowFigures> figures(std::uint32_t stream) const;

 private:
  struct Stream {
    std::optional<books::WindowBook> book;
    std::map<std::uint32_t, std::pair<std::uint64_t, std::optional<plan::EpochWindow>>>
        known;                                              // rank: generation, where
    std::map<std::uint32_t, books::ReadingWindow> reading;  // by stager
    std::uint64_t turn = 0;
    Clock::time_point since = Clock::now();  // of the turn
    bool told_waiting = false;
    unsigned told_open = 0;
  };
  void look(std::uint32_t stream);
  std::string window_text(std::uint32_t stream, plan::EpochWindow window) const;

  const blueprint::Blueprint& blueprint_;
  const blueprint::Windowing& windowing_;
  const books::Registry& registry_;
  EventLog& events_;
  std::vector<Stream> streams_;
  std::map<std::uint32_t, std::uint64_t> read_bytes_;  // by stager
};

}  // namespace headrace::service::host
