#include "service/loading/loader.hpp"

#include <pthread.h>

#include <exception>
#include <utility>

#include "base/clock.hpp"
#include "reader/announce.hpp"

namespace headrace::service::loading {

namespace {

/// What is being read is not wanted any more.
struct Overtaken {};

constexpr std::uint64_t announced_bytes = std::uint64_t{16} << 20;

}  // namespace

Loader::Loader(const WindowSource& source, const blueprint::Windowing& windowing, store::NodeStore& store,
               reader::LoadOptions options, Events events)
    : source_(source),
      windowing_(windowing),
      options_(std::move(options)),
      events_(std::move(events)),
      streams_(source.blueprint.streams.size()) {
  for (std::size_t f = 0; f < source.blueprint.schema.size(); ++f)
    columns_.push_back(store.column(source.topology.local(), f));
  thread_ = std::jthread([this](const std::stop_token& quit) { run(quit); });
}

Loader::~Loader() {
  {
    const Lock lock(mutex_);
    quit_ = true;
  }
  changed_.notify_all();
}

void Loader::read(const Order& order) {
  {
    const Lock lock(mutex_);
    auto& stream = streams_[order.stream];
    if (stream.order && stream.order->turn >= order.turn) return;
    stream.order = order;
    stream.told_first = stream.told_both = false;
    news_ = true;
    // What lies in the pane of another window, or is wanted in the other pane, will be written over.
    const std::optional<plan::EpochWindow> in_panes[] = {order.pane == 0 ? std::optional(order.at) : order.next,
                                                         order.pane == 0 ? order.next : std::optional(order.at)};
    for (int pane = 0; pane < 2; ++pane)
      if (stream.panes[pane] != in_panes[pane]) stream.panes[pane].reset();
  }
  changed_.notify_all();
}

std::optional<Loader::Task> Loader::choose() const {
  for (const bool first : {true, false})
    for (std::uint32_t s = 0; s < streams_.size(); ++s) {
      const auto& order = streams_[s].order;
      if (!order || (!first && !order->next)) continue;
      const auto window = first ? order->at : *order->next;
      const auto pane = first ? order->pane : 1 - order->pane;
      if (streams_[s].panes[pane] != window) return Task{s, pane, order->turn, window, first};
    }
  return std::nullopt;
}

/// Whether the task, which is under way, is what should be: read for an older order it may still be that.
bool Loader::wanted(const Task& task) const {
  if (quit_) return false;
  const auto best = choose();
  if (!best) return false;
  const auto& order = *streams_[task.stream].order;
  const bool still = (order.at == task.window && order.pane == task.pane) ||
                     (order.next == task.window && 1 - order.pane == task.pane);
  // A first window that somebody waits for goes before a second one of the same stream.
  return still && !(best->stream == task.stream && best->first && best->window != task.window);
}

bool Loader::wait_for_work(std::optional<Task>& task) {
  Lock lock(mutex_);
  task.reset();
  while (!quit_ && !(task = choose()) && !news_) changed_.wait(lock);
  news_ = false;
  return !quit_;
}

void Loader::tell() {
  std::vector<std::function<void()>> words;
  {
    const Lock lock(mutex_);
    for (std::uint32_t s = 0; s < streams_.size(); ++s) {
      auto& stream = streams_[s];
      if (!stream.order) continue;
      const auto& order = *stream.order;
      const bool first = stream.panes[order.pane] == order.at;
      const bool both = first && (!order.next || stream.panes[1 - order.pane] == order.next);
      if (both ? std::exchange(stream.told_both, true) : (!first || std::exchange(stream.told_first, true))) continue;
      words.emplace_back([this, s, turn = order.turn, both] { events_.loaded(s, turn, both); });
    }
  }
  for (const auto& word : words) word();
}

void Loader::run(const std::stop_token& /*quit*/) {
  pthread_setname_np(pthread_self(), "loader");
  try {
    for (std::optional<Task> task; wait_for_work(task);) {
      if (task) read_window(*task);
      tell();
    }
  } catch (const std::exception& error) {
    events_.failed(error.what());
  }
}

std::vector<blueprint::PlacedBlock> Loader::mine(std::uint32_t stream, plan::EpochWindow window,
                                                 std::uint32_t pane) const {
  auto blocks = windowing_.lay_out(stream, window, pane);
  std::erase_if(blocks, [this](const auto& block) { return block.stager != source_.topology.me(); });
  return blocks;
}

/// The disk begins with the window after this one already: else it has nothing to do while the end of this one is decoded,
/// and until a pane is free.
void Loader::announce_after(const Task& task) const {
  const auto after = windowing_.next(task.stream, task.window);
  if (!after) return;
  const auto blocks = mine(task.stream, *after, task.pane);
  reader::announce(source_.blueprint.catalog,
                   intervals_of(source_.blueprint, source_.topology.me(), members(task.stream), blocks), options_,
                   announced_bytes);
}

void Loader::read_window(const Task& task) {
  if (!task.first) announce_after(task);  // else the other one of the two comes next, and somebody waits for this one
  const auto blocks = mine(task.stream, task.window, task.pane);
  auto options = options_;
  auto told = Clock::now() - news_every;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    {
      const Lock lock(mutex_);
      if (!wanted(task)) throw Overtaken();
    }
    tell();  // a new order may be about what is there already
    if (Clock::now() - told < news_every) return;
    told = Clock::now();
    events_.progress(task.stream, task.turn, task.window, done, total);
  };
  try {
    const auto report =
        WindowLoad(source_, members(task.stream), blocks, columns_, WindowLoad::Memory::used).run(options);
    bytes_.fetch_add(report.stored_bytes, std::memory_order_relaxed);  // a figure for people
    const Lock lock(mutex_);
    if (quit_) return;
    auto& stream = streams_[task.stream];
    const auto& order = *stream.order;
    if ((order.pane == task.pane ? std::optional(order.at) : order.next) == task.window)
      stream.panes[task.pane] = task.window;
  } catch (const Overtaken&) {  // the next order says what to read
  }
}

}  // namespace headrace::service::loading
