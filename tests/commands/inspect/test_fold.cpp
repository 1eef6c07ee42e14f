// Long lists told shortly.
#include "commands/inspect/fold.hpp"

#include "config/config_fixture.hpp"

namespace headrace::commands::inspect {

using namespace headrace::config;

using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(inspect_fold)

static Texts numbered(const std::string& stem, std::size_t count) {
  Texts names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(stem + std::to_string(100 + i) + "/x");
  return names;
}

BOOST_AUTO_TEST_CASE(few_stay_as_they_are) {
  const auto names = numbered("m", few_names);
  BOOST_TEST(folded_names(names, false) == names);
  BOOST_TEST(folds_of(names, Texts(names.size()), names.size()).size() == names.size());
}

BOOST_AUTO_TEST_CASE(names_alike_but_for_their_numbers_are_one) {
  auto names = numbered("m", 30);
  names.insert(names.begin() + 10, "other");
  BOOST_TEST(folded_names(names, false) == (Texts{"m100/x ... m129/x (30)", "other"}));
  BOOST_TEST(folded_names(names, true) == names);
}

BOOST_AUTO_TEST_CASE(what_says_otherwise_is_told_apart) {
  const auto names = numbered("m", 30);
  Texts rest(30, "float32");
  rest[7] = "int8";
  const auto folds = folds_of(names, rest, 3);
  BOOST_TEST(folds.size() == 2u);
  BOOST_TEST(folds[0].count == 29u);
  BOOST_TEST(folds[1].first == 7u);
  BOOST_TEST(name_of(folds[1], names) == "m107/x");
}

BOOST_AUTO_TEST_CASE(of_many_that_differ_the_first_are_told) {
  Texts names;
  for (char a = 'a'; a <= 'z'; ++a)
    for (char b = 'a'; b <= 'z'; ++b) names.push_back({a, b});
  const auto told = folded_names(names, false);
  BOOST_TEST(told.size() == few_names + 1);
  BOOST_TEST(told.back() == "and 656 more");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::inspect
