#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "base/error.hpp"

using namespace headrace;

namespace {
const std::vector<std::string> keys{"batch", "epochs", "seed", "shuffle", "global-batch"};
}

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(nearest_name) {
  BOOST_TEST(nearest("btach", keys) == "batch");
  BOOST_TEST(nearest("batches", keys) == "batch");
  BOOST_TEST(nearest("shufle", keys) == "shuffle");
  BOOST_TEST(nearest("global_batch", keys) == "global-batch");
  BOOST_TEST(nearest("colour-space", keys).empty());
  BOOST_TEST(nearest("batch", {}).empty());
  BOOST_TEST(nearest("seed", keys) == "seed");
}

BOOST_AUTO_TEST_CASE(tail_of_a_message_about_an_unknown_name) {
  BOOST_TEST(did_you_mean("bacth", {"batch", "epochs", "seed"}) ==
             "; did you mean 'batch'? (available: batch, epochs, seed)");
  BOOST_TEST(did_you_mean("zzzzzzzz", {"batch", "seed"}) == "; available: batch, seed");
  BOOST_TEST(did_you_mean("anything", {}) == "; available: none");
  BOOST_TEST(did_you_mean("f(x", {"f(y"}) == "; did you mean 'f(y'? (available: f(y)");
}

BOOST_AUTO_TEST_CASE(many_names_in_a_message) {
  BOOST_TEST(some_of({}) == "");
  BOOST_TEST(some_of({"a"}) == "a");
  BOOST_TEST(some_of({"a", "b", "c", "d", "e", "f", "g", "h"}) == "a, b, c, d, e, f, g, h");
  BOOST_TEST(some_of({"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) == "a, b, c, d, e, f, g, h and 2 more");
}

BOOST_AUTO_TEST_CASE(require_throws_what_it_is_told) {
  BOOST_CHECK_NO_THROW(require(true, "fine"));
  BOOST_CHECK_EXCEPTION(require(false, "file is gone; bring it back"), Error,
                        [](const Error& e) { return std::string(e.what()) == "file is gone; bring it back"; });
}

BOOST_AUTO_TEST_CASE(system_calls) {
  BOOST_TEST(errno_text("open", ENOENT) == "open: No such file or directory");
  errno = EACCES;
  BOOST_CHECK_EXCEPTION(throw_errno("bind"), Error,
                        [](const Error& e) { return std::string(e.what()) == "bind: Permission denied"; });
}

BOOST_AUTO_TEST_CASE(usage_errors_are_errors) {
  BOOST_CHECK_THROW(throw UsageError("no"), Error);
}

BOOST_AUTO_TEST_SUITE_END()
