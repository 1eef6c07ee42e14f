// Peers that do not answer: told once, told again when they answer, given up after the limit.
#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "exchange/silence.hpp"

using namespace headrace;
using exchange::Silence;

BOOST_AUTO_TEST_SUITE(silence)

namespace {

/// Looks every second, as the engine does.
struct Watched {
  Silence silence{10, 300, [](int peer) { return "stager " + std::to_string(peer); }};
  std::map<int, double> oldest;  // by peer
  double now = 1000;

  std::vector<std::string> until(double time) {
    std::vector<std::string> all;
    for (; now <= time; ++now)
      for (auto& line : silence.look(now, oldest)) all.push_back(line);
    return all;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(silence_is_told_once_and_its_end_once) {
  Watched watched;
  BOOST_TEST(watched.until(1020).empty());  // nobody was asked
  watched.oldest = {{2, 1020.0}, {5, 1025.0}};
  BOOST_TEST(watched.until(1029).empty());
  auto said = watched.until(1034);
  BOOST_REQUIRE(said.size() == 1u);
  BOOST_TEST(said[0].starts_with("no answer from stager 2 for 10 s ("));
  BOOST_TEST(said[0].ends_with("given up after 300 s"));
  watched.silence.answered(5, 1034);
  watched.oldest[5] = 1034;
  BOOST_TEST(watched.until(1040).empty());
  watched.silence.answered(2, 1040.5);
  watched.oldest.erase(2);
  said = watched.until(1043);
  BOOST_REQUIRE(said.size() == 1u);
  BOOST_TEST(said[0] == "stager 2 answers again, after 21 s");
}

BOOST_AUTO_TEST_CASE(one_that_answers_others_is_not_silent) {
  Watched watched;
  watched.until(1000);
  watched.oldest = {{1, 1000.0}};
  for (double time = 1005; time < 1100; time += 5) {
    watched.silence.answered(1, time);
    BOOST_TEST(watched.until(time + 4).empty());
  }
}

BOOST_AUTO_TEST_CASE(a_second_silence_is_told_again) {
  Watched watched;
  watched.until(1000);
  watched.oldest = {{1, 1000.0}};
  BOOST_TEST(watched.until(1020).size() == 1u);
  watched.silence.answered(1, 1020.5);
  BOOST_TEST(watched.until(1025).size() == 1u);
  BOOST_TEST(watched.until(1040).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_request_beyond_the_limit_is_an_error) {
  Watched watched;
  watched.until(1000);
  watched.oldest = {{3, 1000.0}};
  watched.until(1300);
  BOOST_CHECK_EXCEPTION(watched.until(1301), Error, [](const Error& error) {
    return std::string(error.what()).starts_with("no answer from stager 3 for 300 s (it is stuck");
  });
}

BOOST_AUTO_TEST_CASE(who_stood_still_itself_blames_nobody) {
  Watched watched;
  watched.until(1000);
  watched.oldest = {{1, 1000.0}};
  watched.now = 2000;
  BOOST_TEST(watched.until(2009).empty());
  BOOST_TEST(watched.until(2010).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
