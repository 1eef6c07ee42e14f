// How messages between stagers travel, and the one place that knows which may arrive where.
//
//   stager --link--> leader --exchange--> stager 0        up, ToHead: a leader passes on what it hears
//   stager --link--> leader                               ToLeader: matters of the node stay there
//   stager 0 --exchange--> leader                         down, FromHead
//   leader --link--> stager                               ToStager, with descriptors where needed
//
//   what arrives                 at stager 0      at another leader      at any other stager
//   through the exchange         ToHead           FromHead               (nothing)
//   through a link               FromStager       FromStager             ToStager
//
// So each end of each way decodes one variant, and what is not of it is an Error. A stager's own messages go the same
// ways without a wire. Host's thread only; nobody is waited for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ipc/courier.hpp"
#include "ipc/poller.hpp"
#include "service/books/messages.hpp"
#include "service/host/seat.hpp"

namespace headrace::service::host {

class Router {
 public:
  struct Receivers {
    std::function<void(books::ToHead message)> head;         ///< at stager 0
    std::function<void(books::FromHead message)> from_head;  ///< at leaders
    std::function<void(books::ToLeader message)> from_node;  ///< at leaders
    std::function<void(books::ToStager message, std::vector<ipc::Fd> fds)> from_leader;
    std::function<void(std::uint32_t local)> link_closed;  ///< that stager of this node is dead
  };
  /// Sends a text to another stager through the exchange; null where there is one node only.
  using Exchange = std::function<void(int to, std::string text)>;
  /// post: runs a job soon, in this thread.
  using Post = std::function<void(std::function<void()> job)>;

  /// links: to the stagers of this node, as in job::NodeLinks.
  Router(const Seat& seat, ipc::Poller& poller, std::vector<ipc::Connection> links, Exchange exchange, Post post,
         Receivers receivers);

  void to_head(books::ToHead message);
  void to_leader(books::ToLeader message);
  /// Stager 0: to the leader of a node.
  void to_node(std::uint32_t node, books::FromHead message);
  /// Leader: to a stager of this node, itself too.
  void to_local(std::uint32_t local, books::ToStager message, std::vector<ipc::Fd> fds = {});
  /// Leader: to all other stagers of this node. Anybody else: to nobody.
  void to_others(const books::ToStager& message);
  /// The same, before this process leaves at once: as far as it can be sent now.
  void last_word_to_others(const books::ToStager& message) noexcept;
  /// Any other stager than the leader: likewise, to the leader. Whether it is sent, whatever becomes of us.
  bool last_word_to_leader(const books::ToLeader& message) noexcept;
  /// A message came through the exchange.
  void arrived(const std::string& text);
  /// Waits until all is sent, at most so long for each link.
  /// Until the processes at the other ends have let go of the links, for so long.
  void wait_for_ends(std::chrono::milliseconds limit) const;
  void flush_for(std::chrono::milliseconds limit);

 private:
  ipc::Received receive(std::size_t link) const;
  void read(std::size_t link);
  void say(std::size_t link, std::string text, std::vector<ipc::Fd> fds);
  std::uint32_t at(std::size_t link) const { return seat_.is_leader() ? static_cast<std::uint32_t>(link) : 0; }

  const Seat seat_;
  Exchange exchange_;
  Post post_;
  Receivers receivers_;
  std::vector<std::unique_ptr<ipc::Courier>> links_;  ///< numbered as job::NodeLinks; null: that stager is dead
};

}  // namespace headrace::service::host
