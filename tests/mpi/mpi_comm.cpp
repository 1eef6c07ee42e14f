#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "mpi/comm.hpp"
#include "mpi/session.hpp"

using headrace::mpi::Comm;

BOOST_AUTO_TEST_SUITE(comm)

// Text that names its writer, of a length that differs from rank to rank (rank 0's is empty).
static std::string text_of(int rank) {
  return std::string(static_cast<std::size_t>(rank) * 1000, static_cast<char>('a' + rank));
}

BOOST_AUTO_TEST_CASE(allgather_keeps_rank_order) {
  const auto world = Comm::world();
  const auto numbers = world.allgather(world.rank() * 7);
  BOOST_TEST(numbers.size() == static_cast<std::size_t>(world.size()));
  for (int r = 0; r < world.size(); ++r) BOOST_TEST(numbers[static_cast<std::size_t>(r)] == r * 7);
}

BOOST_AUTO_TEST_CASE(texts_of_any_length) {
  const auto world = Comm::world();
  const auto texts = world.allgather(text_of(world.rank()));
  for (int r = 0; r < world.size(); ++r) BOOST_TEST((texts[static_cast<std::size_t>(r)] == text_of(r)));
  const int root = world.size() - 1;
  BOOST_TEST((world.bcast(text_of(world.rank()), root) == text_of(root)));
  BOOST_TEST(world.bcast("").empty());
}

BOOST_AUTO_TEST_CASE(long_texts_go_in_rounds) {
  const auto world = Comm::world();
  std::string mine;
  for (int i = 0; i < 50 + 31 * world.rank(); ++i) mine += static_cast<char>('A' + (i * 7 + world.rank()) % 50);
  for (const std::size_t round : {1u, 3u, 16u, 101u}) {
    const auto texts = world.allgather(mine, round);
    BOOST_TEST((texts == world.allgather(mine)));
    BOOST_TEST((texts[static_cast<std::size_t>(world.rank())] == mine));
    BOOST_TEST((world.bcast(mine, 0, round) == texts[0]));
  }
}

BOOST_AUTO_TEST_CASE(reductions) {
  const auto world = Comm::world();
  const auto rank = static_cast<std::uint64_t>(world.rank());
  const auto size = static_cast<std::uint64_t>(world.size());
  BOOST_TEST(world.sum((std::uint64_t{1} << 40) + rank) == (size << 40) + size * (size - 1) / 2);
  BOOST_TEST(world.max(rank) == size - 1);
  BOOST_TEST(world.min(rank + 3) == 3u);
  BOOST_TEST(world.sum(0.5) == 0.5 * static_cast<double>(size));
  BOOST_TEST(world.max(static_cast<double>(rank)) == static_cast<double>(size - 1));
}

BOOST_AUTO_TEST_CASE(parts_of_a_communicator) {
  const auto world = Comm::world();
  auto parity = world.split(world.rank() % 2, -world.rank());
  BOOST_TEST(parity.size() == (world.size() + (world.rank() % 2 == 0 ? 1 : 0)) / 2);
  const auto ranks = parity.allgather(world.rank());
  for (std::size_t i = 1; i < ranks.size(); ++i) BOOST_TEST(ranks[i] < ranks[i - 1]);  // the key turned them round
  const auto node = world.split_shared();
  BOOST_TEST(node.size() == world.size());
  BOOST_TEST(node.rank() == world.rank());
  parity = world.dup();
  BOOST_TEST(parity.size() == world.size());
  BOOST_TEST(Comm::self().size() == 1);
}

BOOST_AUTO_TEST_CASE(some_ranks_without_the_others) {
  const auto world = Comm::world();
  const int last = world.size() - 1;
  if (world.rank() == 0 && last > 0) return;  // takes no part, and nobody waits for it
  const auto some = Comm::of_ranks(std::min(1, last), last);
  BOOST_TEST(some.size() == std::max(1, last));
  BOOST_TEST(some.allgather(world.rank()).back() == last);
}

// The first rank is through with a broadcast before the others come to it, and frees the communicator while they still
// tell it of their arrival. The next communicator has the same number within MPI, and must not take that for its own.
BOOST_AUTO_TEST_CASE(a_communicator_goes_while_others_are_still_coming) {
  for (int turn = 0; turn < 30; ++turn) {
    const auto world = Comm::world();
    for (int i = 0; i < 40; ++i) BOOST_TEST(world.sum(std::uint64_t{1}) == static_cast<std::uint64_t>(world.size()));
    if (world.rank() > 0) std::this_thread::sleep_for(std::chrono::microseconds(300 * world.rank()));
    BOOST_TEST(world.bcast("x") == "x");
  }
}

BOOST_AUTO_TEST_CASE(texts_that_each_rank_sends_to_each) {
  const auto world = Comm::world();
  for (int turn = 0; turn < 20; ++turn) {
    std::vector<std::string> to;
    for (int r = 0; r < world.size(); ++r) to.push_back(text_of((r * 2 + world.rank() + turn) % 5));
    const auto from = world.alltoall(to);
    for (int r = 0; r < world.size(); ++r)
      BOOST_TEST((from[static_cast<std::size_t>(r)] == text_of((world.rank() * 2 + r + turn) % 5)));
    for (const std::size_t round : {700, 3001}) BOOST_TEST((world.alltoall(to, round) == from));
  }
  // One receives what many send: also where only one has anything, and others go through the rounds with it.
  std::vector<std::string> to(static_cast<std::size_t>(world.size()));
  to[0] = text_of(world.rank());
  const auto from = world.alltoall(to, 500);
  for (int r = 0; r < world.size(); ++r)
    BOOST_TEST(from[static_cast<std::size_t>(r)] == (world.rank() == 0 ? text_of(r) : ""));
}

BOOST_AUTO_TEST_CASE(failed_call_is_named) {
  const auto world = Comm::world();
  BOOST_CHECK_EXCEPTION(world.bcast("x", world.size()), headrace::Error, [](const headrace::Error& e) {
    return std::string(e.what()).starts_with("MPI_Ibcast failed (");
  });
}

BOOST_AUTO_TEST_SUITE_END()
