#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "service/books/registry.hpp"
#include "texts.hpp"

using namespace headrace;
using namespace headrace::config;
using namespace headrace::service::blueprint;
using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(registry)

namespace {

StreamFacts facts(std::string name, std::uint64_t samples, std::uint32_t batch, std::uint64_t epochs = 0,
                  plan::Last last = plan::Last::drop) {
  return {
      .name = std::move(name), .samples = samples, .batch = batch, .global_batch = {}, .last = last, .epochs = epochs};
}

Claim claim(std::uint32_t rank, std::uint32_t world, std::uint32_t stream = 0) {
  return {stream, rank, world, "process " + std::to_string(100 + rank) + " on n" + std::to_string(rank)};
}

std::string refusal(Registry& registry, const Claim& wanted) {
  try {
    registry.claim(wanted);
  } catch (const Error& error) {
    return error.what();
  }
  return "granted";
}

/// The trainer releases the next `steps` batches.
void consume(Ledger& ledger, std::uint64_t steps) {
  for (; steps > 0; --steps) ledger.released(*ledger.next(), 1, 1);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_rank_has_one_trainer) {
  Registry registry({facts("train", 100, 5)});
  const auto first = registry.claim(claim(0, 2));
  const auto text = refusal(registry, claim(0, 2));
  BOOST_TEST(has(text, "stream 'train': rank 0 of 2 is taken by process 100 on n0"));
  BOOST_TEST(registry.claim(claim(1, 2)).generation != first.generation);
  BOOST_TEST(registry.alive() == 2u);
  registry.left(0, 0, first.generation, first.ledger, false);
  BOOST_TEST(registry.alive() == 1u);
  const auto again = registry.claim(claim(0, 2));
  BOOST_TEST(again.session == first.session);
  registry.left(0, 0, first.generation, first.ledger, true);  // late news of the first: out of date
  BOOST_TEST(registry.alive() == 2u);
}

BOOST_AUTO_TEST_CASE(world_size_stands_while_one_lives) {
  Registry registry({facts("train", 100, 5), facts("val", 100, 5)});
  const auto zero = registry.claim(claim(0, 2)), one = registry.claim(claim(1, 2));
  BOOST_TEST(has(refusal(registry, claim(2, 3)), "says that there are 3, but rank 0 (process 100 on n0) said 2"));
  BOOST_TEST(has(refusal(registry, claim(2, 2)), "rank 2 is not below the world size 2"));
  BOOST_TEST(has(refusal(registry, claim(0, 0)), "not below the world size 0"));
  BOOST_TEST(refusal(registry, claim(2, 3, 1)) == "granted");  // another stream, another number
  registry.left(0, 0, zero.generation, zero.ledger, true);
  BOOST_TEST(has(refusal(registry, claim(2, 3)), "rank 1"));
  registry.left(0, 1, one.generation, one.ledger, true);
  BOOST_TEST(registry.claim(claim(2, 3)).session == zero.session + 1);
  BOOST_TEST(registry.world_size(0) == 3u);
}

BOOST_AUTO_TEST_CASE(ledgers_outlive_trainers) {
  Registry registry({facts("train", 100, 5)});
  auto grant = registry.claim(claim(0, 2));
  consume(grant.ledger, 3);
  const auto leased = *grant.ledger.next();
  grant.ledger.released({0, 4}, 1, 1);
  grant.ledger.rewind();
  registry.left(0, 0, grant.generation, grant.ledger, false);
  auto again = registry.claim(claim(0, 2));
  BOOST_TEST((*again.ledger.next() == leased));
  BOOST_TEST((*again.ledger.next() == Step{0, 5}));
}

BOOST_AUTO_TEST_CASE(another_world_size_begins_behind_every_epoch_that_was_begun) {
  struct Case {
    const char* what;
    void (*live)(Ledger& ledger);
    std::uint64_t begin;
  };
  const Case cases[] = {
      {"nothing done", [](Ledger&) {}, 0},
      {"some steps", [](Ledger& l) { consume(l, 3); }, 1},
      {"one epoch", [](Ledger& l) { consume(l, 10); }, 1},
      {"an epoch and a step", [](Ledger& l) { consume(l, 11); }, 2},
      {"the first batch leased for ever", [](Ledger& l) { l.next(), consume(l, 2); }, 1},
      {"the last batch of an epoch leased for ever", [](Ledger& l) { consume(l, 9), l.next(), consume(l, 2); }, 2},
      {"a seek into an epoch",
       [](Ledger& l) {
         l.seek({4, 2});
       },
       5},
  };
  for (const auto& [what, live, begin] : cases) {
    Registry registry({facts("train", 100, 5)});
    auto grant = registry.claim(claim(1, 2));
    live(grant.ledger);
    grant.ledger.rewind();
    registry.left(0, 1, grant.generation, grant.ledger, false);
    auto next = registry.claim(claim(0, 4));
    BOOST_TEST((*next.ledger.next() == Step{begin, 0}), what);
    registry.left(0, 0, next.generation, next.ledger, false);
    BOOST_TEST((*registry.claim(claim(0, 2)).ledger.next() >= Step{begin, 0}), what << ", and again");
  }
}

BOOST_AUTO_TEST_CASE(a_world_of_two_billion_costs_one_rank) {
  Registry registry({facts("train", 100, 5, 0, plan::Last::partial)});
  BOOST_TEST(refusal(registry, claim(7, 2'000'000'000)) == "granted");
  BOOST_TEST(registry.alive() == 1u);
}

BOOST_AUTO_TEST_CASE(batches_that_cannot_be) {
  Registry registry({facts("train", 100, 30), {.name = "even", .samples = 1000, .batch = {}, .global_batch = 12}});
  BOOST_TEST(refusal(registry, claim(0, 3)) == "granted");
  const auto text = refusal(registry, claim(0, 5, 1));
  BOOST_TEST(has(text, "global-batch = 12 does not divide by 5 trainers"));
  BOOST_TEST(refusal(registry, claim(0, 6, 1)) == "granted");
  Registry small({facts("train", 100, 30)});
  BOOST_TEST(has(refusal(small, claim(0, 4)), "a global batch of 120 rows (4 trainers) exceeds the 100 samples"));
  BOOST_TEST(small.alive() == 0u);
  BOOST_TEST(refusal(small, claim(0, 1)) == "granted");
}

BOOST_AUTO_TEST_CASE(all_consumed_when_every_rank_of_every_stream_is_through) {
  Registry registry({facts("train", 20, 5, 2), facts("val", 20, 5, 1)});
  auto zero = registry.claim(claim(0, 2)), one = registry.claim(claim(1, 2)), val = registry.claim(claim(0, 1, 1));
  consume(zero.ledger, 4);
  registry.finished(0, 0, zero.generation, true);
  registry.finished(1, 0, val.generation, true);
  BOOST_TEST(!registry.all_consumed());
  registry.finished(0, 1, one.generation + 1000, true);  // of nobody
  BOOST_TEST(!registry.all_consumed());
  consume(one.ledger, 4);
  registry.left(0, 1, one.generation, one.ledger, false);
  BOOST_TEST(registry.all_consumed());
}

BOOST_AUTO_TEST_CASE(not_consumed_while_a_rank_never_came) {
  Registry registry({facts("train", 20, 5, 1)});
  const auto zero = registry.claim(claim(0, 2));
  registry.finished(0, 0, zero.generation, true);
  BOOST_TEST(!registry.all_consumed());
  Registry endless({facts("train", 20, 5, 0)});
  endless.finished(0, 0, endless.claim(claim(0, 1)).generation, true);
  BOOST_TEST(!endless.all_consumed());
  BOOST_TEST(!Registry({facts("train", 20, 5, 1)}).all_consumed());
}

BOOST_AUTO_TEST_CASE(who_went_back_is_not_through) {
  Registry registry({facts("train", 20, 5, 1)});
  auto grant = registry.claim(claim(0, 1));
  consume(grant.ledger, 4);
  registry.finished(0, 0, grant.generation, true);
  BOOST_TEST(registry.all_consumed());
  registry.finished(0, 0, grant.generation, false);
  BOOST_TEST(!registry.all_consumed());
  registry.finished(0, 0, grant.generation, true);
  registry.finished(0, 0, grant.generation + 1, false);  // of nobody
  BOOST_TEST(registry.all_consumed());
  grant.ledger.seek({0, 1});
  registry.left(0, 0, grant.generation, grant.ledger, false);
  BOOST_TEST(!registry.all_consumed());
}

BOOST_AUTO_TEST_CASE(goodbyes) {
  Registry registry({facts("train", 20, 5), facts("val", 20, 5)});
  BOOST_TEST(!registry.all_said_goodbye());  // nobody was there yet
  const auto zero = registry.claim(claim(0, 2)), one = registry.claim(claim(1, 2));
  registry.left(0, 0, zero.generation, zero.ledger, true);
  BOOST_TEST(!registry.all_said_goodbye());  // one lives
  registry.left(0, 1, one.generation, one.ledger, false);
  BOOST_TEST(!registry.all_said_goodbye());  // it died: somebody may take its rank
  const auto again = registry.claim(claim(1, 2));
  registry.left(0, 1, again.generation, again.ledger, true);
  BOOST_TEST(registry.all_said_goodbye());
  const auto val = registry.claim(claim(0, 1, 1));
  BOOST_TEST(!registry.all_said_goodbye());
  registry.left(1, 0, val.generation, val.ledger, true);
  BOOST_TEST(registry.all_said_goodbye());
}

BOOST_AUTO_TEST_CASE(trainers_that_load_states_must_mean_the_same_place) {
  Registry registry({facts("train", 100, 5), facts("val", 100, 5)});
  const auto first = registry.claim(claim(0, 2)), second = registry.claim(claim(1, 2));
  const auto other = registry.claim(claim(0, 1, 1));
  BOOST_TEST(registry.agree(0, 0, first.generation, {1, 4}) == "");
  const auto no = registry.agree(0, 1, second.generation, {1, 5});
  for (const auto* part : {"stream 'train'", "rank 1 (process 101 on n1)", "epoch 1, step 5",
                           "rank 0 (process 100 on n0)", "epoch 1, step 4"})
    BOOST_TEST(has(no, part), no);
  BOOST_TEST(registry.agree(0, 1, second.generation, {1, 4}) == "");  // a refused one may say another
  BOOST_TEST(registry.agree(1, 0, other.generation, {0, 1}) == "");   // another stream has its own
  BOOST_TEST(registry.agree(0, 1, second.generation, {0, 3}) == "");  // a second time: back to an older state
  BOOST_TEST(registry.agree(0, 0, first.generation, {0, 2}) != "");
  BOOST_TEST(registry.agree(0, 0, first.generation, {0, 3}) == "");
}

BOOST_AUTO_TEST_CASE(a_trainer_in_the_place_of_a_dead_one_takes_up_its_count) {
  Registry registry({facts("train", 100, 5)});
  const auto first = registry.claim(claim(0, 2)), second = registry.claim(claim(1, 2));
  BOOST_TEST(registry.agree(0, 0, first.generation, {1, 4}) == "");
  BOOST_TEST(registry.agree(0, 1, second.generation, {1, 4}) == "");
  registry.left(0, 1, second.generation, second.ledger, false);
  BOOST_TEST(registry.agree(0, 1, second.generation, {7, 7}) == "");  // late news: nothing comes of it
  const auto again = registry.claim(claim(1, 2));
  BOOST_TEST(registry.agree(0, 0, first.generation, {1, 9}) == "");  // all load once more
  BOOST_TEST(registry.agree(0, 1, again.generation, {1, 4}) != "");
  BOOST_TEST(registry.agree(0, 1, again.generation, {1, 9}) == "");
}

BOOST_AUTO_TEST_CASE(states_that_all_have_taken_up_are_counted_on_without_being_kept) {
  Registry registry({facts("train", 100, 5)});
  const auto first = registry.claim(claim(0, 2)), second = registry.claim(claim(1, 2));
  for (std::uint64_t e = 1; e <= 100; ++e) {
    BOOST_TEST(registry.agree(0, 0, first.generation, {e, 4}) == "");
    BOOST_TEST(registry.newest_state(0)->number == e - 1);
    BOOST_TEST(registry.agree(0, 1, second.generation, {e, 5}) != "");
    BOOST_TEST(registry.agree(0, 1, second.generation, {e, 4}) == "");
    BOOST_TEST((registry.newest_state(0)->at == Step{e, 4}));
  }
  BOOST_TEST(registry.agree(0, 0, first.generation, {200, 0}) == "");
  registry.left(0, 1, second.generation, second.ledger, false);
  const auto again = registry.claim(claim(1, 2));
  BOOST_TEST(again.loads == 100u);
  BOOST_TEST_REQUIRE(again.resumed.size() == 1u);
  BOOST_TEST((again.resumed.front().number == 100 && again.resumed.front().at == Step{200, 0}));
}

BOOST_AUTO_TEST_CASE(states_that_nobody_else_takes_up_have_an_end) {
  Registry registry({facts("train", 100, 5)});
  const auto first = registry.claim(claim(0, 2));
  std::string answer;
  for (std::uint64_t e = 0; e < 2000 && answer.empty(); ++e) answer = registry.agree(0, 0, first.generation, {e, 0});
  BOOST_TEST(answer.find("let all of them connect first") != std::string::npos);
  const auto second = registry.claim(claim(1, 2));
  BOOST_TEST(second.resumed.size() <= 256u);  // which fit one message between nodes
}

BOOST_AUTO_TEST_CASE(with_the_last_trainer_the_places_are_forgotten) {
  Registry registry({facts("train", 100, 5)});
  const auto first = registry.claim(claim(0, 2));
  BOOST_TEST(registry.agree(0, 0, first.generation, {1, 4}) == "");
  registry.left(0, 0, first.generation, first.ledger, false);
  const auto second = registry.claim(claim(1, 2)), again = registry.claim(claim(0, 2));
  BOOST_TEST(registry.agree(0, 1, second.generation, {0, 2}) == "");
  BOOST_TEST(registry.agree(0, 0, again.generation, {0, 2}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
