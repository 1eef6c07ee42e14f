#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include "job/party.hpp"

using namespace headrace;
using namespace headrace::job;

BOOST_AUTO_TEST_SUITE(party)

namespace {

/// The rank that the stagers begin with; those before it start trainers.
Party meet_with(int first_stager, const mpi::Comm& world) {
  const bool stager = world.rank() >= first_stager;
  return meet(stager ? Role::stager : Role::starter, stager ? "name" : "",
              stager ? "/address/of/" + std::to_string(world.rank()) : "");
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_know_the_service_by_one_word_and_where_it_is_on_their_node) {
  const auto world = mpi::Comm::world();
  for (int first = 0; first < std::min(world.size(), 3); ++first) {
    const auto party = meet_with(first, world);
    BOOST_TEST(party.service.name == "name");
    BOOST_TEST(party.shared == (first > 0));
    // Tests run on one machine. Stagers alone need nobody else's.
    BOOST_TEST(party.service.address == "/address/of/" + std::to_string(party.shared ? first : world.rank()));
    for (const auto& word : world.allgather(party.service.word)) {
      BOOST_TEST(word == party.service.word);
      BOOST_TEST(!word.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(no_two_services_have_one_word) {
  const auto world = mpi::Comm::world();
  const auto one = meet_with(0, world), other = meet_with(0, world);
  BOOST_TEST(one.service.word != other.service.word);
}

BOOST_AUTO_TEST_CASE(commands_alone_have_no_service) {
  const auto party = meet(Role::alone, "name", "name");
  BOOST_TEST((party.service.name.empty() && party.service.address.empty() && party.service.word.empty()));
}

BOOST_AUTO_TEST_CASE(of_ranks_that_are_named_only_the_stagers_take_part) {
  const auto world = mpi::Comm::world();
  if (world.rank() > 0) return;
  const auto party = meet(Role::stager, "name", "/address", Ranks{0, 0});
  BOOST_TEST((party.mine.size() == 1 && party.shared == (world.size() > 1)));
  BOOST_TEST((party.service.name == "name" && party.service.address == "/address" && party.service.word.empty()));
}

BOOST_AUTO_TEST_SUITE_END()
