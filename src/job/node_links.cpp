#include "job/node_links.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "ipc/no_descriptor.hpp"
#include "job/random_word.hpp"
#include "mpi/agree.hpp"

namespace headrace::job {

namespace {

constexpr std::chrono::seconds limit{30};
constexpr std::chrono::milliseconds look_every{5};  // at callers that have said nothing yet

/// The leader's side. Whoever sees the socket's name can call: programs that look for services do, for one. So a caller
/// is a stager only once it says the word that the stagers agreed on, and nobody else can spoil or delay the meeting.
class Meeting {
 public:
  Meeting(ipc::Listener listener, std::string word, std::size_t stagers)
      : listener_(std::move(listener)), word_(std::move(word)), links_(stagers) {}

  /// By local number; 0, the leader itself, stays empty.
  std::vector<ipc::Connection> all(const Topology& topology) {
    const auto until = Clock::now() + limit;
    while (have_ < links_.size()) {
      require(Clock::now() < until,
              fmt::format("only {} of {} stagers on {} found their leader within {} s; are all on one node in the same "
                          "network namespace{}? (--split-nodes treats them as separate nodes)",
                          have_, links_.size(), topology.here().host, limit.count(),
                          foreign_ ? " and of one user" : ""));
      if (auto caller = next_caller()) callers_.push_back(std::move(*caller));
      std::erase_if(callers_, [&](ipc::Connection& caller) { return heard(caller); });
    }
    return std::move(links_);
  }

 private:
  std::optional<ipc::Connection> next_caller() const try {
    return listener_.accept(look_every);
  } catch (const ipc::NoDescriptors&) {
    std::this_thread::sleep_for(look_every);  // others, here or on this machine, have them: for a moment, or too long
    return std::nullopt;
  }

  /// Whether this caller need not be listened to any more.
  bool heard(ipc::Connection& caller) try {
    if (caller.peer().uid != geteuid()) {
      foreign_ = true;
      return true;
    }
    const auto hello = caller.receive();
    if (hello.what == ipc::Receipt::closed) return true;
    if (hello.what != ipc::Receipt::message) return false;
    if (const auto local = number_in(hello.message.text); local > 0 && local < links_.size() && !links_[local]) {
      links_[local] = std::move(caller);
      ++have_;
    }
    return true;
  } catch (const Error&) {
    return true;  // its message was none of ours: too long, say
  }

  std::size_t number_in(std::string_view text) const {
    std::size_t local = 0;
    if (text.starts_with(word_)) std::from_chars(text.data() + word_.size(), text.data() + text.size(), local);
    return local;
  }

  ipc::Listener listener_;
  std::string word_;
  std::vector<ipc::Connection> links_, callers_;
  std::size_t have_ = 1;
  bool foreign_ = false;
};

ipc::Connection call_leader(const std::string& name, const std::string& word, std::uint32_t local) {
  const ipc::Address address(name);
  auto link = ipc::Connection::connect(address);
  // Its queue of callers may be full for a moment.
  for (const auto until = Clock::now() + limit; !link && Clock::now() < until; link = ipc::Connection::connect(address))
    std::this_thread::sleep_for(look_every);
  require(link && link->send(word + std::to_string(local), {}, limit) == ipc::Sent::sent,
          "the leader of this node's stagers cannot be reached (other network namespaces on one "
          "node?); --split-nodes treats them as separate nodes");
  return std::move(*link);
}

}  // namespace

NodeLinks NodeLinks::make(const Topology& topology) {
  NodeLinks node;
  if (topology.here().stagers == 1) return node;
  // The name lives for a moment only. Containers that share a network have process numbers of their own, and nobody else
  // is to know the name before. The word is in no table of the system.
  const auto name = topology.node.bcast(fmt::format(".links-{}-{}", getpid(), random_word()));
  const auto word = topology.node.bcast(random_word() + " ");
  auto meeting = mpi::together(topology.node, [&]() -> std::optional<Meeting> {
    if (!topology.is_leader()) return std::nullopt;
    return Meeting(ipc::Listener(ipc::Address(name)), word, topology.here().stagers);
  });
  mpi::together(topology.node, [&] {
    if (meeting)
      node.links = meeting->all(topology);
    else
      node.links.push_back(call_leader(name, word, topology.local()));
  });
  return node;
}

ipc::Fd NodeLinks::share(const Topology& topology, ipc::Fd leaders) const {
  if (topology.is_leader()) {
    const std::array fds{leaders.get()};
    for (const auto& link : links)
      if (link) link.send("store", fds, limit);
    return leaders;
  }
  auto received = links.front().receive(limit);
  require(received.what == ipc::Receipt::message && received.message.fds.size() == 1,
          "the leader of this node's stagers did not share its memory");
  return std::move(received.message.fds.front());
}

}  // namespace headrace::job
