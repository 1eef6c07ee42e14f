// The figure of what is available is scripted: the stagers of a node take, and so does somebody else.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "base/error.hpp"
#include "service/delivery/memory_watch.hpp"
#include "texts.hpp"

using namespace headrace;
using service::blueprint::MemoryLimit;
using service::delivery::MemoryWatch;

namespace {

constexpr std::uint64_t giga = 1'000'000'000;

/// A node's memory, and stagers that watch it.
struct WatchedNode {
  std::uint64_t available;
  int looks = 0;
  ipc::Fd page;
  std::deque<MemoryWatch> stagers{};

  WatchedNode(std::uint64_t there, std::uint64_t to_come, std::uint64_t beside, int count = 1,
              std::chrono::milliseconds every = std::chrono::milliseconds{0})
      : available(there), page(MemoryWatch::make_page(to_come)) {
    for (int i = 0; i < count; ++i)
      stagers.emplace_back(
          page, MemoryWatch::Setup{
                    .host = "n1", .beside = beside, .way_out = "use more nodes", .every = every, .available = [this] {
                      ++looks;
                      return MemoryLimit{available, "MemAvailable"};
                    }});
  }
  /// What a stager does with a piece.
  void take(std::size_t stager, std::uint64_t bytes) {
    stagers[stager].before_taking(bytes);
    available -= bytes;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_watch)

BOOST_AUTO_TEST_CASE(what_is_just_enough_is_enough_to_the_end) {
  WatchedNode node(10 * giga, 9 * giga, giga, 3);
  for (int piece = 0; piece < 3; ++piece)
    for (std::size_t stager = 0; stager < 3; ++stager) BOOST_CHECK_NO_THROW(node.take(stager, giga));
  BOOST_TEST(node.available == giga);
  for (auto& stager : node.stagers) BOOST_CHECK_NO_THROW(stager.at_end());
}

BOOST_AUTO_TEST_CASE(what_somebody_else_takes_is_missed_at_the_next_look) {
  WatchedNode node(10 * giga, 9 * giga, giga, 2);
  node.take(0, giga);
  node.take(1, giga);
  node.available -= giga / 2;
  // Others have still to take six, this one the seventh: its own would fit many times.
  BOOST_CHECK_EXCEPTION(node.take(1, giga), Error, [](const Error& e) {
    return has(e.what(), "too little memory on n1 by now: 7.00 GB are still to be taken") &&
           has(e.what(), "and 1.00 GB kept for") && has(e.what(), "MemAvailable allows 7.50 GB, 500 MB too little") &&
           has(e.what(), "somebody else took some meanwhile") && has(e.what(), "or use more nodes");
  });
  // The other one finds the same: what the first one does not take counts as still to come.
  BOOST_CHECK_THROW(node.take(0, giga), Error);
}

BOOST_AUTO_TEST_CASE(who_has_found_too_little_takes_no_more) {
  WatchedNode node(2 * giga, 2 * giga, 0);
  node.available -= 1;
  BOOST_CHECK_THROW(node.take(0, 1), Error);
  node.available += giga;
  BOOST_CHECK_THROW(node.take(0, 1), Error);
  BOOST_CHECK_THROW(node.stagers[0].at_end(), Error);
}

BOOST_AUTO_TEST_CASE(what_is_kept_beside_is_looked_for_at_the_end) {
  WatchedNode node(3 * giga, 2 * giga, giga);
  node.take(0, 2 * giga);
  node.available -= 1;
  BOOST_CHECK_EXCEPTION(node.stagers[0].at_end(), Error, says("n1 by now: 0 B are still"));
}

BOOST_AUTO_TEST_CASE(pieces_of_others_that_are_under_way_are_no_false_alarm) {
  WatchedNode node(4 * giga, 4 * giga, 0, 2);
  node.stagers[0].before_taking(giga);
  node.available -= giga / 2;  // a half of it is there
  BOOST_CHECK_NO_THROW(node.stagers[1].before_taking(giga));
}

BOOST_AUTO_TEST_CASE(more_than_was_reckoned_with_is_not_counted_twice) {
  WatchedNode node(giga, giga, 0);
  node.take(0, giga);
  node.available = 10;
  BOOST_CHECK_NO_THROW(node.stagers[0].before_taking(10));  // the rest of a page
}

BOOST_AUTO_TEST_CASE(looks_are_few) {
  WatchedNode node(10 * giga, 9 * giga, giga, 1, std::chrono::hours{1});
  for (int piece = 0; piece < 9000; ++piece) node.take(0, giga / 1000);
  BOOST_TEST(node.looks == 1);  // the first piece had one
  node.stagers[0].at_end();
  BOOST_TEST(node.looks == 2);
}

BOOST_AUTO_TEST_SUITE_END()
