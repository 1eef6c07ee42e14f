// How the whole service is doing, gathered when somebody asks and never otherwise: the figures of every stager, by way
// of the leaders of the nodes, to the node where `headrace stat` knocked. Host's thread only.
//
//   tool --> leader --Watch--> stager 0 --Look--> leaders --Look--> stagers
//   tool <-- leader <--Shown, ... , Viewed-- stager 0 <--View-- leaders <--Figures-- stagers
//
//   1. A node is looked at once a second at most, however many ask; who asks meanwhile gets the next look.
//   2. Nobody is waited for longer than `patience`: who does not answer is named as missing.
//   3. No message holds the figures of more than `trainers_a_message` trainers, so that all fit.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "job/topology.hpp"
#include "service/blueprint/need.hpp"
#include "service/books/messages.hpp"

namespace headrace::service::host {

class Views {
 public:
  /// What a tool is told: the views of all nodes, and the end of them.
  using Seen = std::variant<books::Shown, books::Viewed>;
  using Tell = std::function<void(const Seen& message)>;
  static constexpr std::chrono::seconds look_every{1}, patience{2};
  static constexpr std::size_t trainers_a_message = 64;
  static constexpr std::size_t most_retired = 32;  ///< that are listed for a node; all are counted

  struct Actions {
    std::function<void(books::ToHead)> up;
    std::function<void(std::uint32_t node, books::FromHead)> down;  ///< stager 0's, to a leader
    std::function<void(books::ToStager)> to_others;                 ///< a leader's, to the other stagers of its node
    std::function<void(books::ToLeader)> to_leader;
    std::function<std::vector<books::TrainerFigures>()> trainers;  ///< of this stager
    std::function<std::vector<books::FormerRing>()> retired;       ///< its rings that others still have
    std::function<std::uint64_t()> scratch_read;                   ///< bytes that it has read from its disk
    std::function<std::uint64_t()> window_read;                    ///< of files, for windows
    std::function<books::ServiceFigures()> service;                ///< at stager 0: what only the coordinator knows
  };
  /// nodes: all of the service; this is stager `local` of the node `my_node`.
  Views(std::vector<job::Node> nodes, std::uint32_t my_node, std::uint32_t local, blueprint::Need memory,
        Actions actions);

  // Every stager.
  void hear(const books::Look& message);
  // A leader.
  void hear(const books::Figures& message);
  void hear(const books::Shown& message);
  void hear(const books::Viewed& message);
  // Stager 0.
  void hear(const books::Watch& message);
  void hear(const books::View& message);
  void tick(Clock::time_point now);

  /// Leader: at least one message per node, and one at the end.
  void of_service(Tell tell);
  /// Leader: the views of this node.
  void of_node(std::function<void(const std::vector<books::View>& views)> done);

 private:
  void take_retired(const std::vector<books::FormerRing>& retired);
  books::NodeMemory memory_of_node() const;
  void node_done();
  void begin_round();
  void end_round();

  const job::Node& here() const { return nodes_[my_node_]; }

  const std::vector<job::Node> nodes_;
  const std::uint32_t my_node_, local_;
  const blueprint::Need memory_;
  Actions actions_;

  // A leader's: who waits for the figures of this node, and what its stagers have said so far.
  std::vector<std::function<void(const std::vector<books::View>&)>> node_waits_;
  std::set<std::uint32_t> silent_stagers_;
  std::vector<books::TrainerFigures> node_trainers_;
  std::vector<books::FormerRing> node_retired_;
  std::uint64_t node_private_ = 0, node_scratch_read_ = 0, node_window_read_ = 0;
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
