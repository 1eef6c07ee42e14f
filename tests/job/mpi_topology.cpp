#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ipc/memory.hpp"
#include "job/node_links.hpp"
#include "job/topology.hpp"

using namespace headrace;
using namespace headrace::job;

BOOST_AUTO_TEST_SUITE(topology)

namespace {

/// What must hold on any machine: nodes tile the stagers, in order, and everybody sees the same.
void check(const Topology& topology, int world_size) {
  BOOST_TEST(topology.stagers() == static_cast<std::uint32_t>(world_size));
  std::uint32_t next = 0;
  for (std::uint32_t n = 0; n < topology.nodes.size(); ++n) {
    const auto& node = topology.nodes[n];
    BOOST_TEST(node.first == next);
    BOOST_TEST(node.stagers > 0u);
    BOOST_TEST(!node.host.empty());
    for (auto s = node.first; s < node.first + node.stagers; ++s) {
      BOOST_TEST(topology.node_of(s) == n);
      BOOST_TEST(topology.is_here(s) == (n == topology.my_node));
    }
    next += node.stagers;
  }
  BOOST_TEST(next == topology.stagers());
  BOOST_TEST(topology.here().first + topology.local() == topology.me());
  BOOST_TEST(static_cast<std::uint32_t>(topology.node.size()) == topology.here().stagers);
  BOOST_TEST(topology.is_leader() == (topology.me() == topology.here().first));
  const auto numbers = topology.all.allgather(topology.me());
  for (std::uint32_t i = 0; i < numbers.size(); ++i) BOOST_TEST(numbers[i] == i);
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_node) {
  const auto world = mpi::Comm::world();
  const auto topology = Topology::discover(world, false);
  check(topology, world.size());
  BOOST_TEST(topology.nodes.size() == 1u);  // tests run on one machine
  BOOST_TEST(topology.local() == static_cast<std::uint32_t>(world.rank()));
}

BOOST_AUTO_TEST_CASE(split_nodes) {
  const auto world = mpi::Comm::world();
  const auto topology = Topology::discover(world, true);
  check(topology, world.size());
  BOOST_TEST(topology.nodes.size() == static_cast<std::size_t>(world.size()));
  BOOST_TEST(topology.is_leader());
}

BOOST_AUTO_TEST_CASE(ranks_in_another_order) {
  const auto world = mpi::Comm::world();
  const auto turned = world.split(0, -world.rank());
  check(Topology::discover(turned, false), world.size());
  check(Topology::discover(turned, true), world.size());
}

BOOST_AUTO_TEST_CASE(links_reach_every_stager_of_the_node) {
  const auto world = mpi::Comm::world();
  const auto topology = Topology::discover(world, false);
  const auto links = NodeLinks::make(topology);
  const auto memory = links.share(topology, topology.is_leader() ? ipc::make_memfd("shared", 4096) : ipc::Fd());
  const auto mapping = ipc::Mapping::map(memory, 4096);
  mapping.data()[topology.local()] = std::byte{static_cast<unsigned char>(topology.local() + 1)};
  world.barrier();
  for (int i = 0; i < topology.node.size(); ++i)
    BOOST_TEST((mapping.data()[i] == std::byte{static_cast<unsigned char>(i + 1)}));
  world.barrier();
}

namespace {

/// Calls wherever stagers meet, as who looks for services or means harm does, and says the next of `words` each time (or
/// nothing). Some of its calls stay open.
class Stranger {
 public:
  ~Stranger() {
    stop_ = true;
    caller_.join();
  }
  int calls() const { return calls_; }

 private:
  void call_all() {
    const std::array<std::string, 4> words{"", "1", "0123456789abcdef0123456789abcdef 1", std::string(100'000, 'x')};
    std::vector<ipc::Connection> open;
    while (!stop_) {
      std::ifstream table("/proc/net/unix");
      for (std::string line; !stop_ && std::getline(table, line);) {
        const auto name = line.find(".links-");
        if (name == std::string::npos) continue;
        auto call = ipc::Connection::connect(ipc::Address(line.substr(name)));
        if (!call) continue;
        const auto& word = words[static_cast<std::size_t>(++calls_) % words.size()];
        if (!word.empty()) call->send(word);
        if (calls_ % 3 == 0 && open.size() < 50) open.push_back(std::move(*call));
      }
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> calls_ = 0;
  std::thread caller_{[this] { call_all(); }};
};

}  // namespace

BOOST_AUTO_TEST_CASE(strangers_who_call_where_stagers_meet_spoil_nothing) {
  const auto world = mpi::Comm::world();
  const auto topology = Topology::discover(world, false);
  std::optional<Stranger> stranger;
  if (topology.local() == 1) stranger.emplace();
  for (bool called = topology.node.size() == 1; !called;) {
    const auto links = NodeLinks::make(topology);
    const auto memory = links.share(topology, topology.is_leader() ? ipc::make_memfd("shared", 4096) : ipc::Fd());
    BOOST_TEST(bool(memory));
    called = world.max(std::uint64_t(stranger ? stranger->calls() : 0)) >= 50;
  }
}

BOOST_AUTO_TEST_SUITE_END()
