// The part of the host that passes on what is said about windows: to the gate of this stager's feeds and to its loader,
// and what these answer to stager 0. Likewise of windows that come to memory for good (start = early).
#include "service/host/host.hpp"

namespace headrace::service::host {

void Host::turn_windows(const books::WindowOrder& order) {
  require(service_.panes != nullptr, "stager 0 turns windows that there are not");
  auto& panes = *service_.panes;
  switch (order.what) {
    case books::WindowOrder::What::leave:
      return panes.turn(order.stream, order.at, order.next, [this, stream = order.stream, turn = order.turn] {
        jobs_.post([this, stream, turn] {
          router_->to_head(books::WindowAnswer{seat_.me(), stream, turn, books::WindowAnswer::What::left});
        });
      });
    case books::WindowOrder::What::read:
      panes.lay(order.stream, order.at, order.next, order.pane);
      return service_.read_windows(order);
    case books::WindowOrder::What::open:
      panes.open(order.stream, order.at);
      if (order.both && order.next) panes.open(order.stream, *order.next);
  }
}

void Host::windows_loaded(std::uint32_t stream, std::uint64_t turn, bool both) {
  using What = books::WindowAnswer::What;
  jobs_.post([this, stream, turn, both] {
    const auto what = both ? What::both_loaded : What::first_loaded;
    router_->to_head(books::WindowAnswer{seat_.me(), stream, turn, what, service_.window_read()});
  });
}

void Host::reading_window(std::uint32_t stream, std::uint64_t turn, plan::EpochWindow window, std::uint64_t done,
                          std::uint64_t total) {
  jobs_.post([this, stream, turn, window, done, total] {
    router_->to_head(books::ReadingWindow{seat_.me(), stream, turn, window, done, total});
  });
}

void Host::take_in(const books::ArrivalOrder& order) {
  require(service_.arrivals != nullptr, "stager 0 speaks of windows that there are not");
  if (order.what == books::ArrivalOrder::What::read)
    service_.read_first(order.window);
  else
    service_.arrivals->open(order.window);
}

void Host::window_arrived(std::uint64_t window, std::uint64_t bytes) {
  jobs_.post([this, window, bytes] { router_->to_head(books::Arrived{seat_.me(), window, bytes}); });
}

void Host::window_arriving(std::uint64_t window, std::uint64_t done, std::uint64_t total) {
  jobs_.post([this, window, done, total] { router_->to_head(books::Arriving{seat_.me(), window, done, total}); });
}

}  // namespace headrace::service::host
