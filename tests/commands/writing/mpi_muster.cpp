#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "commands/writing/muster.hpp"
#include "mpi/patience.hpp"

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

BOOST_AUTO_TEST_CASE(progress_that_cannot_be_looked_at_says_nothing_against_the_others) {
  const auto all = mpi::Comm::world();
  Muster muster(all);  // which is collective: under the usual patience
  const auto usual = mpi::patience().limit_s;
  mpi::patience().limit_s = 0.02;
  if (all.rank() + 1 == all.size()) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  BOOST_CHECK_NO_THROW(muster.wait(false, []() -> std::uint64_t { throw Error("the disk does not answer"); }));
  mpi::patience().limit_s = usual;
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::writing
