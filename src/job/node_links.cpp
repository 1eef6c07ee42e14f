#include "job/node_links.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <random>

#include "base/error.hpp"
#include "mpi/agree.hpp"

namespace headrace::job {

namespace {

constexpr std::chrono::seconds limit{30};

ipc::Connection accept_one(const ipc::Listener& listener, const Topology& topology, std::size_t have) {
  auto link = listener.accept(std::chrono::duration_cast<std::chrono::milliseconds>(limit));
  require(link.has_value(),
          fmt::format("only {} of {} stagers on {} found their leader within {} s; are all on one node "
                      "in the same network namespace? (--split-nodes treats them as separate nodes)",
                      have, topology.here().stagers, topology.here().host, limit.count()));
  ipc::require_same_user(*link, "another stager");
  return std::move(*link);
}

std::size_t local_number(const ipc::Connection& link, std::size_t stagers) {
  const auto hello = link.receive(limit);
  std::size_t local = 0;
  const auto& text = hello.message.text;
  std::from_chars(text.data(), text.data() + text.size(), local);
  require(hello.what == ipc::Receipt::message && local > 0 && local < stagers, "a stager introduced itself wrongly");
  return local;
}

ipc::Connection call_leader(const std::string& name, std::uint32_t local) {
  auto link = ipc::Connection::connect(ipc::Address(name));
  require(link.has_value(),
          "the leader of this node's stagers cannot be reached (other network namespaces on one "
          "node?); --split-nodes treats them as separate nodes");
  link->send(std::to_string(local), {}, limit);
  return std::move(*link);
}

}  // namespace

NodeLinks NodeLinks::make(const Topology& topology) {
  NodeLinks node;
  if (topology.here().stagers == 1) return node;
  // The name lives for a moment only. Containers that share a network have process numbers of their own, and nobody else
  // is to know the name before.
  const auto name = topology.node.bcast(fmt::format(".links-{}-{:08x}", getpid(), std::random_device{}()));
  const auto listener = mpi::together(topology.node, [&] {
    return topology.is_leader() ? std::make_unique<ipc::Listener>(ipc::Address(name)) : nullptr;
  });
  node.links.resize(topology.is_leader() ? topology.here().stagers : 1);
  mpi::together(topology.node, [&] {
    if (listener)
      for (std::size_t have = 1; have < node.links.size(); ++have) {
        auto link = accept_one(*listener, topology, have);
        node.links[local_number(link, node.links.size())] = std::move(link);
      }
    else
      node.links.front() = call_leader(name, topology.local());
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
