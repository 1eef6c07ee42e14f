// How the whole service is doing, gathered when somebody asks and never otherwise: the figures of every stager, by way
// of the leaders of the nodes, to the node where `headrace stat` knocked. Host's thread only.
//
//   tool --> leader --watch--> stager 0 --look--> leaders --look--> stagers
//   tool <-- leader <--view, ... , viewed-- stager 0 <--view-- leaders <--figures-- stagers
//
//   1. A node is looked at once a second at most, however many ask; who asks meanwhile gets the next look.
//   2. Nobody is waited for longer than `patience`: who does not answer is named as missing.
//   3. No message holds the figures of more than `trainers_a_message` trainers, so that all fit.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "job/topology.hpp"
#include "service/blueprint/need.hpp"

namespace headrace::service::host {

class Views {
 public:
  using Tell = std::function<void(const nlohmann::json& message)>;
  static constexpr std::chrono::seconds look_every{1}, patience{2};
  static constexpr std::size_t trainers_a_message = 64;
  static constexpr std::size_t most_retired = 32;  ///< that are listed for a node; all are counted

  struct Actions {
    Tell up;                                                              ///< a leader's message to stager 0
    std::function<void(std::uint32_t node, const nlohmann::json&)> down;  ///< stager 0's to a leader
    Tell to_node;                              ///< a leader's message to the other stagers of its node
    Tell to_leader;                            ///< another stager's to its leader
    std::function<nlohmann::json()> trainers;  ///< the trainers of this stager, as an array
    std::function<nlohmann::json()> retired;   ///< its rings that others still have, as an array
    std::function<nlohmann::json()> service;   ///< at stager 0: what only the coordinator knows
  };
  /// nodes: all of the service; this is stager `local` of the node `my_node`.
  Views(std::vector<job::Node> nodes, std::uint32_t my_node, std::uint32_t local, blueprint::Need memory,
        Actions actions);

  /// Whether a message is for views to handle.
  static bool is_mine(const std::string& type);
  void handle(const nlohmann::json& message);
  void tick(Clock::time_point now);

  /// Leader: messages of type "view", at least one per node, and one of type "viewed" at the end.
  void of_service(Tell tell);
  /// Leader: the views of this node.
  void of_node(std::function<void(const std::vector<nlohmann::json>& views)> done);

 private:
  void look();
  void take_figures(const nlohmann::json& message);
  void take_retired(const nlohmann::json& retired);
  nlohmann::json memory_of_node() const;
  void node_done();
  void watch(std::uint32_t node);
  void begin_round();
  void take_view(const nlohmann::json& message);
  void end_round();
  void viewed(const nlohmann::json& message);

  const job::Node& here() const { return nodes_[my_node_]; }

  const std::vector<job::Node> nodes_;
  const std::uint32_t my_node_, local_;
  const blueprint::Need memory_;
  Actions actions_;

  // A leader's: who waits for the figures of this node, and what its stagers have said so far.
  std::vector<std::function<void(const std::vector<nlohmann::json>&)>> node_waits_;
  std::set<std::uint32_t> silent_stagers_;
  nlohmann::json node_trainers_, node_retired_;
  std::uint64_t node_private_ = 0;
  Clock::time_point now_{}, node_since_{};  // now_: of the last tick, which follows every message
  // A leader's: who waits for those of the service, in the round under way and in the one after it.
  std::vector<Tell> tools_, next_tools_;
  // Stager 0's: the nodes that want to know, and those that have not answered in the round under way.
  std::set<std::uint32_t> wanting_, next_wanting_, silent_nodes_;
  std::optional<Clock::time_point> round_since_;
  bool round_open_ = false;
};

/// Bytes of this process that it shares with nobody.
std::uint64_t private_bytes();

}  // namespace headrace::service::host
