#include "service/host/views.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace headrace::service::host {

namespace {

std::uint64_t line_of(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::stoull(line.substr(key.size())) * 1024;
  return 0;
}

/// Messages that together hold all these trainers, each but for them like the first one.
template <class Message>
std::vector<Message> split(const std::vector<books::TrainerFigures>& trainers, const Message& rest) {
  std::vector<Message> parts;
  for (std::size_t first = 0; first == 0 || first < trainers.size(); first += Views::trainers_a_message) {
    const auto last = std::min(trainers.size(), first + Views::trainers_a_message);
    parts.push_back(rest);
    parts.back().trainers.assign(trainers.begin() + static_cast<std::ptrdiff_t>(first),
                                 trainers.begin() + static_cast<std::ptrdiff_t>(last));
    parts.back().last = last == trainers.size();
  }
  return parts;
}

}  // namespace

std::uint64_t private_bytes() {
  const auto all = line_of("/proc/self/status", "VmRSS:"), shared = line_of("/proc/self/status", "RssShmem:");
  return all - std::min(all, shared);
}

Views::Views(std::vector<job::Node> nodes, std::uint32_t my_node, std::uint32_t local, blueprint::Need memory,
             Actions actions)
    : nodes_(std::move(nodes)), my_node_(my_node), local_(local), memory_(memory), actions_(std::move(actions)) {}

void Views::tick(Clock::time_point now) {
  now_ = now;
  if (!node_waits_.empty() && now - node_since_ > patience) node_done();
  if (round_open_ && now - *round_since_ > patience) end_round();
  if (!round_open_ && !wanting_.empty() && (!round_since_ || now - *round_since_ >= look_every)) begin_round();
}

// ---- every stager, and the leader of its node ---------------------------------------------------------------------

void Views::hear(const books::Look& /*message*/) {
  if (local_ == 0)
    return of_node([this](const std::vector<books::View>& views) {
      for (const auto& view : views) actions_.up(view);
    });
  for (auto& part : split(actions_.trainers(), books::Figures{.local = local_})) {
    if (part.last) {
      part.private_bytes = private_bytes();
      part.scratch_read_bytes = actions_.scratch_read();
      part.window_read_bytes = actions_.window_read();
      part.retired = actions_.retired();
    }
    actions_.to_leader(std::move(part));
  }
}

void Views::of_node(std::function<void(const std::vector<books::View>& views)> done) {
  node_waits_.push_back(std::move(done));
  if (node_waits_.size() > 1) return;
  node_since_ = std::max(now_, Clock::now());  // that of the last tick may be long ago
  node_trainers_ = actions_.trainers();
  node_private_ = private_bytes();
  node_scratch_read_ = actions_.scratch_read();
  node_window_read_ = actions_.window_read();
  node_retired_.clear();
  take_retired(actions_.retired());
  for (std::uint32_t local = 1; local < here().stagers; ++local) silent_stagers_.insert(local);
  if (silent_stagers_.empty()) return node_done();
  actions_.to_others(books::Look{});
}

void Views::hear(const books::Figures& message) {
  // It came too late; or it answers an earlier look, and has been counted in this one: its second answer must not be.
  if (!silent_stagers_.contains(message.local)) return;
  node_trainers_.insert(node_trainers_.end(), message.trainers.begin(), message.trainers.end());
  if (!message.last) return;
  node_private_ += message.private_bytes;
  node_scratch_read_ += message.scratch_read_bytes;
  node_window_read_ += message.window_read_bytes;
  take_retired(message.retired);
  silent_stagers_.erase(message.local);
  if (silent_stagers_.empty()) node_done();
}

void Views::take_retired(const std::vector<books::FormerRing>& retired) {
  node_retired_.insert(node_retired_.end(), retired.begin(), retired.end());
}

books::NodeMemory Views::memory_of_node() const {
  books::NodeMemory memory{.store_bytes = memory_.store,
                           .rings_bytes = memory_.rings,
                           .private_bytes = node_private_,
                           .available_bytes = line_of("/proc/meminfo", "MemAvailable:"),
                           .scratch_bytes = memory_.scratch,
                           .scratch_read_bytes = node_scratch_read_,
                           .window_read_bytes = node_window_read_};
  for (const auto& ring : node_retired_) memory.retired_bytes += ring.bytes;
  return memory;
}

void Views::node_done() {
  books::View rest{.node = my_node_, .host = here().host, .stagers = here().stagers, .memory = memory_of_node()};
  for (const auto local : std::exchange(silent_stagers_, {})) rest.silent_stagers.push_back(here().first + local);
  rest.retired = std::exchange(node_retired_, {});
  if (rest.retired.size() > most_retired) rest.retired.resize(most_retired);
  const auto views = split(node_trainers_, rest);
  for (const auto& done : std::exchange(node_waits_, {})) done(views);
}

void Views::of_service(Tell tell) {
  if (!tools_.empty()) return next_tools_.push_back(std::move(tell));
  tools_.push_back(std::move(tell));
  actions_.up(books::Watch{my_node_});
}

void Views::hear(const books::Shown& message) {
  for (const auto& tool : tools_) tool(message);
}

void Views::hear(const books::Viewed& message) {
  // Who asked while a round was under way has missed parts of it: the next one is theirs.
  for (const auto& tool : std::exchange(tools_, std::exchange(next_tools_, {}))) tool(message);
  if (!tools_.empty()) actions_.up(books::Watch{my_node_});
}

// ---- stager 0 -----------------------------------------------------------------------------------------------------

void Views::hear(const books::Watch& message) {
  (round_open_ ? next_wanting_ : wanting_).insert(message.node);  // the next tick begins a round
}

void Views::begin_round() {
  round_open_ = true;
  round_since_ = now_;
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) silent_nodes_.insert(node);
  for (auto node = static_cast<std::uint32_t>(nodes_.size()); node-- > 0;) actions_.down(node, books::Look{});
}

void Views::hear(const books::View& view) {
  if (!round_open_ || !silent_nodes_.contains(view.node)) return;  // it came too late
  for (const auto who : wanting_) actions_.down(who, books::Shown{view});
  if (view.last) silent_nodes_.erase(view.node);
  if (silent_nodes_.empty()) end_round();
}

void Views::end_round() {
  round_open_ = false;
  books::Viewed message{.service = actions_.service()};
  for (const auto node : std::exchange(silent_nodes_, {})) message.missing_nodes.push_back(nodes_[node].host);
  for (const auto who : std::exchange(wanting_, std::exchange(next_wanting_, {}))) actions_.down(who, message);
}

}  // namespace headrace::service::host
