// Which failures pass, and how long is waited.
#include <boost/test/unit_test.hpp>

#include "fetch/fetcher.hpp"
#include "fetch/pauses.hpp"

namespace headrace::fetch {

using std::chrono::milliseconds;

BOOST_AUTO_TEST_SUITE(pauses)

BOOST_AUTO_TEST_CASE(what_passes) {
  for (const long status : {408, 425, 429, 500, 502, 503, 504}) BOOST_TEST(passes(status), status);
  for (const long status : {400, 401, 403, 404, 410, 501, 505}) BOOST_TEST(!passes(status), status);
}

BOOST_AUTO_TEST_CASE(what_a_server_asks_for) {
  BOOST_TEST((retry_after("7", 0) == milliseconds(7000)));
  BOOST_TEST((retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 50) == milliseconds(10'000)));
  BOOST_TEST((retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 70) == milliseconds(0)));  // it is past
  BOOST_TEST(!retry_after("soon", 0));
  BOOST_TEST(!retry_after("", 0));
}

BOOST_AUTO_TEST_CASE(pauses_double_and_scatter) {
  const Settings settings;
  for (unsigned tries = 0; tries < 4; ++tries) {
    const auto whole = milliseconds(500 << tries);
    BOOST_TEST((pause(settings, tries, 0, std::nullopt) == whole / 2));
    BOOST_TEST((pause(settings, tries, 0.999999, std::nullopt) > whole * 99 / 100));
  }
  BOOST_TEST((pause(settings, 60, 0.999999, std::nullopt) <= settings.longest_pause));
  BOOST_TEST((pause(settings, 0, 0, milliseconds(9000)) == milliseconds(9000)));
  BOOST_TEST((pause(settings, 0, 0, milliseconds(9'000'000)) == settings.longest_pause));
}

BOOST_AUTO_TEST_CASE(urls_without_their_secrets) {
  BOOST_TEST(shown_url("https://user:secret@host/a@b") == "https://host/a@b");
  BOOST_TEST(shown_url("https://host/a@b") == "https://host/a@b");
  BOOST_TEST(shown_url("/a/b@c") == "/a/b@c");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::fetch
