#include "service/host/views.hpp"

#include <algorithm>
#include <array>
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

/// Views of one node that together hold all its trainers.
std::vector<nlohmann::json> split(const nlohmann::json& trainers, const nlohmann::json& rest) {
  std::vector<nlohmann::json> views;
  for (std::size_t first = 0; first == 0 || first < trainers.size(); first += Views::trainers_a_message) {
    const auto last = std::min(trainers.size(), first + Views::trainers_a_message);
    views.push_back(rest);
    auto& some = views.back()["trainers"] = nlohmann::json::array();
    for (auto g = first; g < last; ++g) some.push_back(trainers[g]);
    views.back()["last"] = last == trainers.size();
  }
  return views;
}

}  // namespace

std::uint64_t private_bytes() {
  const auto all = line_of("/proc/self/status", "VmRSS:"), shared = line_of("/proc/self/status", "RssShmem:");
  return all - std::min(all, shared);
}

Views::Views(std::vector<job::Node> nodes, std::uint32_t my_node, std::uint32_t local, blueprint::Need memory,
             Actions actions)
    : nodes_(std::move(nodes)), my_node_(my_node), local_(local), memory_(memory), actions_(std::move(actions)) {}

bool Views::is_mine(const std::string& type) {
  constexpr std::array types{"watch", "look", "figures", "view", "shown", "viewed"};
  return std::find(types.begin(), types.end(), type) != types.end();
}

void Views::handle(const nlohmann::json& message) {
  const auto type = message.at("type").get<std::string>();
  if (type == "watch") return watch(message.at("node"));
  if (type == "look") return look();
  if (type == "figures") return take_figures(message);
  if (type == "view") return take_view(message);
  if (type == "viewed") return viewed(message);
  for (const auto& tool : tools_) tool(message);
}

void Views::tick(Clock::time_point now) {
  now_ = now;
  if (!node_waits_.empty() && now - node_since_ > patience) node_done();
  if (round_open_ && now - *round_since_ > patience) end_round();
  if (!round_open_ && !wanting_.empty() && (!round_since_ || now - *round_since_ >= look_every)) begin_round();
}

// ---- every stager, and the leader of its node ---------------------------------------------------------------------

void Views::look() {
  if (local_ == 0)
    return of_node([this](const std::vector<nlohmann::json>& views) {
      for (const auto& view : views) actions_.up(view);
    });
  for (auto& part : split(actions_.trainers(), {{"type", "figures"}, {"local", local_}})) {
    if (part.at("last")) part.update({{"private", private_bytes()}, {"retired", actions_.retired()}});
    actions_.to_leader(part);
  }
}

void Views::of_node(std::function<void(const std::vector<nlohmann::json>& views)> done) {
  node_waits_.push_back(std::move(done));
  if (node_waits_.size() > 1) return;
  node_since_ = now_;
  node_trainers_ = actions_.trainers();
  node_private_ = private_bytes();
  node_retired_ = nlohmann::json::array();
  take_retired(actions_.retired());
  for (std::uint32_t local = 1; local < here().stagers; ++local) silent_stagers_.insert(local);
  if (silent_stagers_.empty()) return node_done();
  actions_.to_node({{"type", "look"}});
}

void Views::take_figures(const nlohmann::json& message) {
  if (node_waits_.empty()) return;  // it came too late
  for (const auto& trainer : message.at("trainers")) node_trainers_.push_back(trainer);
  if (!message.at("last")) return;
  node_private_ += message.at("private").get<std::uint64_t>();
  take_retired(message.at("retired"));
  silent_stagers_.erase(message.at("local").get<std::uint32_t>());
  if (silent_stagers_.empty()) node_done();
}

void Views::take_retired(const nlohmann::json& retired) {
  for (const auto& ring : retired) node_retired_.push_back(ring);
}

nlohmann::json Views::memory_of_node() const {
  std::uint64_t retired = 0;
  for (const auto& ring : node_retired_) retired += ring.at("bytes").get<std::uint64_t>();
  return {{"store_bytes", memory_.store},
          {"rings_bytes", memory_.rings},
          {"retired_bytes", retired},
          {"private_bytes", node_private_},
          {"available_bytes", line_of("/proc/meminfo", "MemAvailable:")}};
}

void Views::node_done() {
  auto silent = nlohmann::json::array();
  for (const auto local : std::exchange(silent_stagers_, {})) silent.push_back(here().first + local);
  const auto memory = memory_of_node();
  auto retired = std::exchange(node_retired_, {});
  while (retired.size() > most_retired) retired.erase(retired.end() - 1);
  const auto views = split(node_trainers_, {{"type", "view"},
                                            {"node", my_node_},
                                            {"host", here().host},
                                            {"stagers", here().stagers},
                                            {"silent_stagers", std::move(silent)},
                                            {"retired", std::move(retired)},
                                            {"memory", memory}});
  for (const auto& done : std::exchange(node_waits_, {})) done(views);
}

void Views::of_service(Tell tell) {
  if (!tools_.empty()) return next_tools_.push_back(std::move(tell));
  tools_.push_back(std::move(tell));
  actions_.up({{"type", "watch"}, {"node", my_node_}});
}

void Views::viewed(const nlohmann::json& message) {
  for (const auto& tool : std::exchange(tools_, std::exchange(next_tools_, {}))) tool(message);
  if (!tools_.empty()) actions_.up({{"type", "watch"}, {"node", my_node_}});
}

// ---- stager 0 -----------------------------------------------------------------------------------------------------

void Views::watch(std::uint32_t node) {
  (round_open_ ? next_wanting_ : wanting_).insert(node);  // the next tick begins a round
}

void Views::begin_round() {
  round_open_ = true;
  round_since_ = now_;
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) silent_nodes_.insert(node);
  for (auto node = static_cast<std::uint32_t>(nodes_.size()); node-- > 0;) actions_.down(node, {{"type", "look"}});
}

void Views::take_view(const nlohmann::json& message) {
  const std::uint32_t node = message.at("node");
  if (!round_open_ || !silent_nodes_.contains(node)) return;  // it came too late
  auto shown = message;
  shown["type"] = "shown";
  for (const auto who : wanting_) actions_.down(who, shown);
  if (message.at("last")) silent_nodes_.erase(node);
  if (silent_nodes_.empty()) end_round();
}

void Views::end_round() {
  round_open_ = false;
  auto missing = nlohmann::json::array();
  for (const auto node : std::exchange(silent_nodes_, {})) missing.push_back(nodes_[node].host);
  const nlohmann::json message{{"type", "viewed"}, {"service", actions_.service()}, {"missing_nodes", missing}};
  for (const auto who : std::exchange(wanting_, std::exchange(next_wanting_, {}))) actions_.down(who, message);
}

}  // namespace headrace::service::host
