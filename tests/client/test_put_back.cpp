// A batch put back comes again, and who is no follower does not follow. (Replicas themselves: tests/python.)
#include <boost/test/unit_test.hpp>

#include "trainer.hpp"

BOOST_AUTO_TEST_SUITE(put_back)

BOOST_AUTO_TEST_CASE(the_last_batch_comes_again_as_if_it_had_not_been_acquired) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  hr_batch first = HR_BATCH_INIT, second = HR_BATCH_INIT, again = HR_BATCH_INIT;
  hr_info info = HR_INFO_INIT;
  hr_stats stats = HR_STATS_INIT;
  BOOST_TEST((trainer.acquire(first) == HR_OK && trainer.acquire(second) == HR_OK));
  BOOST_TEST(hr_put_back(trainer.stream, first.lease) == HR_INVALID);
  BOOST_TEST(error_says("is not the one that was acquired last"));
  BOOST_TEST(hr_put_back(trainer.stream, second.lease) == HR_OK);
  BOOST_TEST(hr_put_back(trainer.stream, second.lease) == HR_INVALID);
  BOOST_TEST(hr_release(trainer.stream, second.lease, 1) == HR_INVALID);
  BOOST_TEST((hr_get_info(trainer.stream, &info) == HR_OK && info.epoch == 0 && info.step == 1));
  BOOST_TEST((hr_get_stats(trainer.stream, &stats) == HR_OK && stats.held == 1 && stats.batches == 1));
  BOOST_TEST((stats.rows == first.rows && info.replica == 0 && info.replicas == 1));
  BOOST_TEST(trainer.acquire(again) == HR_OK);
  BOOST_TEST((again.step == 1 && again.lease == second.lease && again.index[0] == second.index[0]));
}

BOOST_AUTO_TEST_CASE(following_is_for_replicas_other_than_0) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  BOOST_TEST(hr_follow(trainer.stream, 0) == HR_INVALID);
  BOOST_TEST(error_says("which leads"));
}

BOOST_AUTO_TEST_CASE(numbers_of_replicas_that_cannot_be) {
  hr_stream* stream = nullptr;
  hr_options options = HR_OPTIONS_INIT;
  for (const auto& [replica, replicas] : {std::pair{-1, 0}, {2, 2}, {0, -1}, {0, 65}, {64, 0}}) {
    options.replica = replica;
    options.replicas = replicas;
    BOOST_TEST(hr_connect(&options, &stream) == HR_INVALID);
    BOOST_TEST(error_says("replica"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
