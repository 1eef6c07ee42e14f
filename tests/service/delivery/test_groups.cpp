// Who of a group of replicas may come, when, and what the others are told.
#include <boost/test/unit_test.hpp>

#include "service/delivery/groups.hpp"

using headrace::service::delivery::Groups;
using What = Groups::What;

BOOST_AUTO_TEST_SUITE(groups)

BOOST_AUTO_TEST_CASE(one_claims_and_the_others_join_it) {
  Groups groups;
  BOOST_TEST((groups.ask(0, 3, 8, 1).what == What::claims));
  groups.begin(0, 5, 3, 8);
  for (const std::uint32_t replica : {0u, 1u}) BOOST_TEST((groups.ask(0, 3, 8, replica).what == What::waits));
  groups.formed(0, 5);
  groups.came(0, 5, 1, "process 11 on n0");
  const auto joined = groups.ask(0, 3, 8, 0);
  BOOST_TEST((joined.what == What::joins && joined.place == 5));
  groups.came(0, 5, 0, "process 10 on n0");
  // Another stream, rank or number of trainers is another group, or none.
  for (const auto& other : {groups.ask(1, 3, 8, 0), groups.ask(0, 2, 8, 0), groups.ask(0, 3, 4, 0)})
    BOOST_TEST((other.what == What::claims));
}

BOOST_AUTO_TEST_CASE(a_number_comes_once) {
  Groups groups;
  groups.begin(0, 0, 0, 1);
  groups.formed(0, 0);
  groups.came(0, 0, 2, "process 12 on n0");
  groups.came(0, 0, 1, "process 11 on n0");
  const auto again = groups.ask(0, 0, 1, 2);
  BOOST_TEST((again.what == What::refused));
  BOOST_TEST(again.text ==
             "replica 2 of rank 0 has come already (process 12 on n0), and so have replicas 1 (process 11 on n0); give "
             "each process a number of its own, or, to begin anew, end all replicas of this rank first");
  groups.over(0, 0);
  BOOST_TEST((groups.ask(0, 0, 1, 2).what == What::claims));
  groups.begin(0, 0, 0, 1);  // and the place is free for another
  groups.over(0, 0);
  groups.over(0, 0);
}

BOOST_AUTO_TEST_SUITE_END()
