// Whatever text comes: a condition, a list of classes, or a UsageError that can be shown.
#include <boost/test/unit_test.hpp>
#include <random>

#include "base/error.hpp"
#include "condition/condition.hpp"
#include "transform/label_map.hpp"

using namespace headrace;
using condition::ColumnValues;
using condition::Condition;
using transform::LabelMap;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t rounds = 20'000;
#else
constexpr std::size_t rounds = 100'000;
#endif

const std::vector<std::string> words{"a",
                                     "jets.pt",
                                     "/g/x",
                                     "`my data`.b",
                                     "`",
                                     "``",
                                     "abs",
                                     "isnan",
                                     "sqrt",
                                     "in",
                                     "not",
                                     "and",
                                     "or",
                                     "true",
                                     "false",
                                     "nan",
                                     "inf",
                                     "0",
                                     "1",
                                     "2.5e3",
                                     "1_000",
                                     "18446744073709551615",
                                     "99999999999999999999",
                                     "1e999",
                                     "0x1",
                                     "1.2.3",
                                     ".",
                                     "..",
                                     ".5",
                                     "5.",
                                     "'x'",
                                     "\"y z\"",
                                     "'",
                                     "\"",
                                     "==",
                                     "!=",
                                     "<",
                                     "<=",
                                     ">",
                                     ">=",
                                     "+",
                                     "-",
                                     "*",
                                     "/",
                                     "%",
                                     "&&",
                                     "||",
                                     "!",
                                     "(",
                                     ")",
                                     "(",
                                     ")",
                                     ",",
                                     "[",
                                     "]",
                                     "=",
                                     "&",
                                     "|",
                                     "**",
                                     "//",
                                     "@",
                                     "\\",
                                     "\n",
                                     "\xc3\xa9",
                                     "\xff",
                                     std::string(1, '\0')};

const std::vector<std::string> valid{
    "jets.pt > 20e3 && abs(jets.eta) < 2.5", "label in (0, 4, 5) and not (weight < 0 or isnan(weight))",
    "`my data`.x % 2 == 1 || /g/y.z * 1.5 - 3 >= -q", "s == \"text\" && t not in ('a', 'b') && 0 < a <= 1_000",
    "!((a + b) / (c - 2e-3) != 7) || flag == true"};

const std::vector<std::string> valid_classes{"b:5", "other:0|4|15", "light jet: -1 | +2 | a:b", "muon"};

using Random = std::mt19937_64;

std::string soup(Random& random) {
  std::string text;
  for (auto n = random() % 20; n > 0; --n) text += words[random() % words.size()] + (random() % 2 ? " " : "");
  return text;
}

/// A few bytes of `text` changed, removed, doubled, or parts of it exchanged.
std::string mutated(std::string text, Random& random) {
  for (auto n = 1 + random() % 4; n > 0 && !text.empty(); --n) {
    const auto at = random() % text.size();
    switch (random() % 5) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, 1 + random() % 3);
        break;
      case 2:
        text.insert(at, words[random() % words.size()]);
        break;
      case 3:
        text.insert(at, text.substr(random() % text.size(), random() % 12));
        break;
      default:
        std::swap(text[at], text[random() % text.size()]);
    }
  }
  return text;
}

/// 1 if it is a condition (which then can be evaluated), 0 if a UsageError says why not. All else escapes.
std::size_t survives(const std::string& text) {
  try {
    const auto condition = Condition::parse(text);
    std::vector<ColumnValues> values;
    for (std::size_t i = 0; i < condition.columns().size(); ++i) {
      if (i % 3 == 0) values.emplace_back(std::vector<double>{1, -2.5, 1e300});
      if (i % 3 == 1) values.emplace_back(std::vector<std::int64_t>{0, INT64_MIN, 3});
      if (i % 3 == 2) values.emplace_back(std::vector<std::string>{"", "x", "y z"});
    }
    std::vector<std::uint8_t> keep(3);
    try {
      condition.evaluate(values, keep);
      for (const auto k : keep)
        if (k > 1) BOOST_ERROR("neither kept nor not: " << text);
    } catch (const UsageError&) {
    }
    return 1;
  } catch (const UsageError& error) {
    const std::string message = error.what();
    if (!message.starts_with("condition: ") || message.back() != '^' || message.size() > 1000)
      BOOST_ERROR("a poor message for " << text << ": " << message);
    return 0;
  }
}

std::size_t survives_as_classes(const std::string& text) {
  try {
    LabelMap map({LabelMap::parse(text), {"fixed", {"5"}}});
    map.code(5);
    map.code(text);
    return 1;
  } catch (const UsageError&) {
    return 0;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(condition_hostile)

BOOST_AUTO_TEST_CASE(soups_of_words) {
  Random random(1);
  std::size_t parsed = 0;
  for (std::size_t i = 0; i < rounds; ++i) parsed += survives(soup(random));
  BOOST_TEST(parsed > 50u);  // the soup reaches the evaluator
}

BOOST_AUTO_TEST_CASE(conditions_with_a_few_bytes_changed) {
  Random random(2);
  std::size_t parsed = 0;
  for (std::size_t i = 0; i < rounds; ++i) parsed += survives(mutated(valid[i % valid.size()], random));
  BOOST_TEST(parsed > rounds / 50);
  BOOST_TEST(parsed < rounds);
}

BOOST_AUTO_TEST_CASE(bytes) {
  Random random(3);
  for (std::size_t i = 0; i < rounds; ++i) {
    std::string text(random() % 24, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    survives(text);
    survives_as_classes(text);
  }
}

BOOST_AUTO_TEST_CASE(classes_with_a_few_bytes_changed) {
  Random random(4);
  std::size_t parsed = 0;
  for (std::size_t i = 0; i < rounds; ++i)
    parsed += survives_as_classes(mutated(valid_classes[i % valid_classes.size()], random));
  BOOST_TEST(parsed > rounds / 10);
  BOOST_TEST(parsed < rounds);
}

BOOST_AUTO_TEST_SUITE_END()
