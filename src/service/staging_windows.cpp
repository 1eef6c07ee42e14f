// The part of the staging that is about windows: the threads that read them.
#include "data/selection/reading.hpp"
#include "service/staging.hpp"

namespace headrace::service {

/// From now on HDF5 is its thread's.
void Staging::make_loader(host::Host::Service& service) {
  auto options = load_options();
  options.pass_by = true;
  loading::Loader::Events events{
      .loaded = [this](std::uint32_t stream, std::uint64_t turn,
                       bool both) { host_->windows_loaded(stream, turn, both); },
      .progress = [this](std::uint32_t stream, std::uint64_t turn, plan::EpochWindow window, std::uint64_t done,
                         std::uint64_t total) { host_->reading_window(stream, turn, window, done, total); },
      .failed = [this](const std::string& what) { host_->fail(what); }};
  loader_ = std::make_unique<loading::Loader>(loading::WindowSource{*blueprint_, topology_, contents_}, *windowing_,
                                              *store_, std::move(options), std::move(events));
  service.panes = panes_.get();
  service.window_read = [this] { return loader_->bytes(); };
  service.read_windows = [this](const books::WindowOrder& order) {
    loader_->read({order.stream, order.turn, order.at, order.next, order.pane});
  };
}

/// Likewise.
void Staging::make_arrival_loader(host::Host::Service& service) {
  loading::ArrivalLoader::Events events{
      .loaded = [this](std::uint64_t window, std::uint64_t bytes) { host_->window_arrived(window, bytes); },
      .progress = [this](std::uint64_t window, std::uint64_t done,
                         std::uint64_t total) { host_->window_arriving(window, done, total); },
      .failed = [this](const std::string& what) { host_->fail(what); }};
  arrival_loader_ = std::make_unique<loading::ArrivalLoader>(loading::WindowSource{*blueprint_, topology_, contents_},
                                                             *store_, load_options(), std::move(events));
  service.arrivals = arrivals_.get();
  service.read_first = [this](std::uint64_t window) { arrival_loader_->read_first(window); };
}

}  // namespace headrace::service
