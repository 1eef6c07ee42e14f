#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>

#include "mpi/agree.hpp"

using namespace headrace;
using mpi::Comm;

BOOST_AUTO_TEST_SUITE(agree)

template <class F>
static std::string message_of(F&& f) {
  try {
    f();
  } catch (const UsageError& e) {
    return std::string("usage: ") + e.what();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

BOOST_AUTO_TEST_CASE(nobody_failed) {
  const auto world = Comm::world();
  BOOST_TEST(mpi::together(world, [&] { return world.rank() + 1; }) == world.rank() + 1);
  mpi::together(world, [] {});
}

BOOST_AUTO_TEST_CASE(all_failed_alike) {
  const auto world = Comm::world();
  const auto text = message_of([&] { mpi::together(world, [] { throw UsageError("bad key"); }); });
  BOOST_TEST(text == "usage: bad key");
}

BOOST_AUTO_TEST_CASE(one_failed) {
  const auto world = Comm::world();
  const auto text = message_of([&] {
    mpi::together(world, [&] {
      if (world.rank() == world.size() - 1) throw Error("disk full");
      return 1;
    });
  });
  BOOST_TEST(text == "disk full");
}

BOOST_AUTO_TEST_CASE(lowest_rank_speaks_and_the_rest_is_counted) {
  const auto world = Comm::world();
  const auto text = message_of([&] {
    mpi::together(world, [&] {
      if (world.rank() > 0) throw std::runtime_error("rank " + std::to_string(world.rank()));
    });
  });
  const auto expected = world.size() == 1   ? std::string("no error")
                        : world.size() == 2 ? std::string("rank 1")
                                            : "rank 1 (and " + std::to_string(world.size() - 2) + " more)";
  BOOST_TEST(text == expected);
}

BOOST_AUTO_TEST_CASE(usage_error_decided_by_the_lowest_rank) {
  const auto world = Comm::world();
  const auto text = message_of([&] {
    mpi::together(world, [&] {
      if (world.rank() == 0) throw UsageError("unknown flag");
      throw std::bad_alloc();
    });
  });
  BOOST_TEST(text.starts_with("usage: unknown flag"));
}

BOOST_AUTO_TEST_SUITE_END()
