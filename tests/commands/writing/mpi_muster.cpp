#include <boost/test/unit_test.hpp>
#include <thread>

#include "commands/writing/muster.hpp"

namespace headrace::commands::writing {

BOOST_AUTO_TEST_SUITE(muster)

BOOST_AUTO_TEST_CASE(all_are_done) {
  const auto all = mpi::Comm::world();
  Muster muster(all);
  const bool early = muster.told_to_stop();
  muster.wait(false, [] { return 0; });
  BOOST_TEST(all.sum(std::uint64_t{early}) == 0u);
}

BOOST_AUTO_TEST_CASE(one_that_fails_stops_the_others) {
  const auto all = mpi::Comm::world();
  for (int failing = 0; failing < all.size(); ++failing) {
    Muster muster(all);
    if (all.rank() != failing && all.size() > 1)
      while (!muster.told_to_stop()) std::this_thread::yield();  // as one that has work for ever
    muster.wait(all.rank() == failing, [] { return 0; });
    all.barrier();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::writing
