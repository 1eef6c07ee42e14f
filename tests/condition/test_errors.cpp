#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "condition/condition.hpp"

using namespace headrace;
using condition::ColumnValues;
using condition::Condition;

namespace {

/// The error's message; "" where there is none.
std::string refusal(std::string_view text) {
  try {
    Condition::parse(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

/// The message, and the text with the place.
struct Refused {
  const char* text;
  const char* marks;  ///< under the text
  const char* says;   ///< a part of the message
};

void check_refused(std::initializer_list<Refused> cases) {
  for (const auto& [text, marks, says] : cases) {
    const auto found = refusal(text);
    const auto first = found.find('\n');
    BOOST_TEST(found.starts_with("condition: "), text << " gives: " << found);
    BOOST_TEST(found.substr(0, first).find(says) != found.npos, text << " gives: " << found);
    if (first != found.npos)
      BOOST_TEST(found.substr(first) == "\n  " + std::string(text) + "\n  " + marks, text << " gives: " << found);
  }
}

std::string refusal(std::string_view text, const std::vector<ColumnValues>& values) {
  std::vector<std::uint8_t> keep;
  try {
    Condition::parse(text).evaluate(values, keep);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

using Integers = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(condition_errors)

BOOST_AUTO_TEST_CASE(a_whole_message) {
  BOOST_TEST(refusal("jets.pt > && jets.eta < 2") ==
             "condition: '&&' cannot stand here; a column, a number, a \"text\" or '(' can stand here\n"
             "  jets.pt > && jets.eta < 2\n"
             "            ^^");
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_too_much) {
  check_refused({{"", "^", "there is none"},
         {"  ", "  ^", "there is none"},
         {"a >", "   ^", "the end comes too soon"},
         {"> 1", "^", "'>' cannot stand here; a column"},
         {"a > 1 &&", "        ^", "the end comes too soon"},
         {"a > 1 b", "      ^", "an operator (=="},
         {"a > 1 AND b > 2", "      ^^^", "did you mean 'and'?"},
         {"a > 1 OR b > 2", "      ^^", "did you mean 'or'?"},
         {"a > 1 2", "      ^", "an operator"},
         {"(a > 1", "^", "never closed"},
         {"(a > 1 b)", "       ^", "an operator"},
         {"(a > 1) && ((b > 2)", "           ^", "never closed"},
         {"a > 1)", "     ^", "no '(' is open"},
         {"()", " ^", "')' cannot stand here"},
         {"abs(a > 1", "   ^", "never closed"},
         {"abs() > 1", "    ^", "')' cannot stand here"},
         {"a > 1, b > 2", "     ^", "lists follow 'in'"},
         {"a == !b", "     ^", "put what it denies in parentheses"},
         {"a == not b", "     ^^^", "put what it denies in parentheses"},
         {"and a > 1", "^^^", "cannot stand here"},
         {"a == in", "     ^^", "cannot stand here"},
         {"a . b > 1", "  ^", "'.' is not known here"},
         {"a. > 1", " ^", "a name ends with '.'"},
         {"a > 1 ! b", "      ^", "'!' cannot stand here"}});
}

BOOST_AUTO_TEST_CASE(what_is_no_condition) {
  check_refused({{"a + 1", "^^^^^", "'a + 1' is a value, not a condition"},
         {"3", "^", "not a condition"},
         {"'x'", "^^^", "not a condition"},
         {"-a", "^^", "not a condition"},
         {"abs(a)", "^^^^^^", "not a condition"},
         {"a > 1 || (b + 2)", "         ^^^^^^^", "not a condition"},
         {"a > 1 && -b && c > 2", "         ^^", "'-b' is a value"},
         {"!3", " ^", "as in 3 != 0"},
         {"not (a * 2)", "    ^^^^^^^", "not a condition"}});
}

BOOST_AUTO_TEST_CASE(dates_are_not_taken_for_arithmetic) {
  check_refused({{"time >= 2020-01-01", "        ^^^^^^^^^^", "'2020-01-01' looks like a date, and would be arithmetic"},
         {"2020-01-01 < time", "^^^^^^^^^^", "in quotes, as in day == \"2020-01-01\""},
         {"t in (3, 2021-12-31)", "         ^^^^^^^^^^", "have spaces: 2021 - 12 - 31"},
         {"time >= 2020-01-01T12:00", "        ^^^^^^^^^^", "looks like a date"},
         {"time < 2020/01/01", "       ^^^^^^^^^^", "have spaces: 2020 / 01 / 01"}});
  for (const auto* text :
       {"a >= 2020 - 1", "a >= 2020-1", "a > 2020 - 01 - 01", "a > 2020-01", "a > 12020-01-01", "a > 2020-01-011",
        "a > 1000/10/10", "a == 1.2020-01-01", "day == \"2020-01-01\"", "`2020-01-01` > 3", "run.2020-01-01 > a"})
    BOOST_TEST(refusal(text) == "", text);
}

BOOST_AUTO_TEST_CASE(what_does_not_compute) {
  check_refused({{"(a > 1) + 1 == 2", "^^^^^^^", "'(a > 1)' is a condition, and there is nothing to compute with"},
         {"1 - true > 0", "    ^^^^", "is a condition"},
         {"'x' + 'y' == 'xy'", "^^^", "''x'' is a text"},
         {"-'x' == 1", " ^^^", "is a text"},
         {"abs('x') == 1", "   ^^^^^", "is a text"},
         {"isnan(a > 1)", "     ^^^^^^^", "is a condition"},
         {"a < 'x'", "    ^^^", "a text has no order"},
         {"'x' >= a", "^^^", "a text has no order"},
         {"a < true", "    ^^^^", "a condition has no order"},
         {"(a < 1) < (b < 2)", "^^^^^^^", "a condition has no order"},
         {"'5' == 5", "    ^^", "a text is never equal to a number"},
         {"a + 1 != 'x'", "      ^^", "never equal"},
         {"true == 'true'", "     ^^", "never equal"}});
}

BOOST_AUTO_TEST_CASE(lists_that_cannot_be) {
  check_refused({{"a in 5", "     ^", "needs a list in parentheses"},
         {"a in", "    ^", "needs a list in parentheses"},
         {"a in ()", "      ^", "lists hold constants"},
         {"a in (1 2)", "        ^", "the list is not closed"},
         {"a in (1, 2", "          ^", "the list is not closed"},
         {"a in (1,, 2)", "        ^", "lists hold constants"},
         {"a in (b)", "      ^", "lists hold constants"},
         {"a in (1 + 1)", "        ^", "the list is not closed"},
         {"a in (1, 'x')", "         ^^^", "texts and numbers stand in one list"},
         {"a in ('x', nan)", "           ^^^", "texts and numbers stand in one list"},
         {"a in (-'x')", "       ^^^", "lists hold constants"},
         {"a in (-true)", "       ^^^^", "lists hold constants"},
         {"'x' in (1, 2)", "       ^^^^^^", "must be of one kind"},
         {"a + 1 in ('x')", "         ^^^^^", "must be of one kind"},
         {"a in [1, 2]", "     ^", "lists stand in parentheses"},
         {"a < b in (1, 2)", "      ^^", "put the comparison before it in parentheses"},
         {"a in (1, 2) == true", "            ^^", "put the comparison before it in parentheses"},
         {"a not b", "  ^^^", "as in x not in (0, 4, 5)"}});
}

BOOST_AUTO_TEST_CASE(words_of_other_languages) {
  check_refused({{"a = 1", "  ^", "write == to compare"},
         {"a === 1", "  ^^^", "write =="},
         {"a <> 1", "  ^^", "write !="},
         {"a => 1", "  ^^", "write >="},
         {"(a > 1) & (b > 2)", "        ^", "write && or 'and'"},
         {"(a > 1) | (b > 2)", "        ^", "write || or 'or'"},
         {"~(a > 1)", "^", "write ! or 'not'"},
         {"a ** 2 > 1", "  ^^", "write x * x"},
         {"a ^ 2 > 1", "  ^", "no such operator"},
         {"a // 2 > 1", "  ^^", "write / for division"},
         {"jets.pt[0] > 1", "       ^", "columns and elements stand behind a dot"},
         {"a > 1; b > 2", "     ^", "join several with &&"},
         {"a > 1 ? 2 : 3", "      ^", "no choice"},
         {"a # 1", "  ^", "'#' is not known here"},
         {"sqrt(a) > 1", "^^^^", "there is no function 'sqrt'; available: abs, isnan"},
         {"ABS(a) > 1", "^^^", "there is no function 'ABS'"},
         {"is_nan(a)", "^^^^^^", "did you mean 'isnan'?"}});
}

BOOST_AUTO_TEST_CASE(numbers_and_quotes) {
  check_refused({{"a > 1.2.3", "    ^^^^^", "'1.2.3' is no number"},
         {"a > 3GeV", "    ^^^^", "'3GeV' is no number"},
         {"a > 0x1F", "    ^^^^", "is no number"},
         {"a > 1__0", "    ^^^^", "is no number"},
         {"a > 1_", "    ^^", "is no number"},
         {"a > 1_.5", "    ^^^^", "is no number"},
         {"a > 1e", "    ^^", "is no number"},
         {"a > 1e+", "    ^^^", "is no number"},
         {"a > 1e5e5", "    ^^^^^", "is no number"},
         {"a > 18446744073709551616", "    ^^^^^^^^^^^^^^^^^^^^", "beyond 64 bits"},
         {"a > 1e999", "    ^^^^^", "beyond float64"},
         {"a == 'x", "     ^^", "a text has no end; close it with '"},
         {"a == \"x'", "     ^^^", "close it with \""},
         {"`a > 1", "^^^^^^", "a quoted name has no end"},
         {"a.`` > 1", "  ^^", "a quoted name is empty"}});
}

BOOST_AUTO_TEST_CASE(the_place_counts_characters_and_the_line_stays_short) {
  check_refused({{"`größe` > 'Ä' && ü", "                 ^", "'ü' is not known here"}});
  const std::string many(100'000, 'a');
  const auto message = refusal(many + " > 1 && " + many + " # " + many);
  BOOST_TEST(message.size() < 700u);
  BOOST_TEST(message.find("'#' is not known") != message.npos);
  const auto mark = message.substr(message.rfind('\n') + 1), line = message.substr(message.find('\n') + 1);
  BOOST_TEST(line.find('#') == mark.find('^'));
  BOOST_TEST(refusal(many).size() < 700u);
  BOOST_TEST(refusal("'" + many).size() < 700u);
  BOOST_TEST(refusal("a\n> \x1b[2J 1").find('\x1b') == std::string::npos);
  BOOST_TEST(refusal(std::string("a > \0 1", 7)).starts_with("condition: "));
  BOOST_TEST(refusal("a > \xff\xfe 1").starts_with("condition: "));
}

BOOST_AUTO_TEST_CASE(hostile_nesting_is_refused) {
  const auto times = [](std::string_view text, int n) {
    std::string result;
    for (int i = 0; i < n; ++i) result += text;
    return result;
  };
  for (const int n : {300, 100'000})
    for (const auto& text :
         {times("(", n), times("(", n) + "a > 1" + times(")", n), times("!", n) + "(a > 1)", times("not ", n) + "a > 1",
          times("-", n) + "a > 1", times("+", n) + "a > 1", times("- +", n) + "a > 1", times("abs(", n), times("(!", n),
          "a" + times(" + a", n) + " > 1", "1" + times(" % a", n) + " > 1", "a > 1" + times(" && (a > 1", n)})
      BOOST_TEST(refusal(text).find("nested too deeply") != std::string::npos, text.substr(0, 20));
  // Long is not deep.
  for (const auto& text : {"a > 1" + times(" && a > 1", 20'000), "a > 1" + times(" or a > 1", 20'000),
                           "a" + times(" < a", 20'000), "a in (1" + times(", 1", 20'000) + ")",
                           times("(", 150) + "a > 1" + times(")", 150), "a" + times(" - a", 150) + " > 1"})
    BOOST_TEST(refusal(text, {Integers{1, 2}}) == "", text.substr(0, 20));
}

BOOST_AUTO_TEST_CASE(texts_and_numbers_that_only_the_columns_tell) {
  BOOST_TEST(refusal("s == 5", {Texts{"5"}}) ==
             "condition: 's' holds texts and '5' numbers, which are never equal; compare it with a \"text\" in quotes\n"
             "  s == 5\n"
             "  ^^^^^^");
  const auto says = [](const char* text, std::vector<ColumnValues> values, const char* part) {
    const auto message = refusal(text, values);
    BOOST_TEST(message.find(part) != message.npos, text << " gives: " << message);
    for (auto& column : values) std::visit([](auto& list) { list.clear(); }, column);
    BOOST_TEST(refusal(text, values) == message);  // without samples too
  };
  says("a == 'x'", {Integers{1}}, "holds texts and 'a' numbers");
  says("a == b", {Integers{1}, Texts{"1"}}, "'b' holds texts and 'a' numbers");
  says("true != s", {Texts{"true"}}, "'s' holds texts");
  says("s < t", {Texts{"1"}, Texts{"2"}}, "'s' holds texts, and there is nothing to compute or to order");
  says("s > 1", {Texts{"1"}}, "'s' holds texts, and there is nothing to compute");
  says("s + 1 > 1", {Texts{"1"}}, "'s' holds texts, and there is nothing to compute");
  says("-s > 1", {Texts{"1"}}, "'s' holds texts, and there is nothing to compute");
  says("abs(s) > 1", {Texts{"1"}}, "'(s)' holds texts, and there is nothing to compute");
  says("isnan(s)", {Texts{"1"}}, "holds texts");
  says("s in (1, 2)", {Texts{"1"}}, "'s' holds texts and the list numbers; write the list's entries in quotes");
  says("a in ('1')", {Integers{1}}, "'a' holds numbers and the list texts; remove the quotes");
}

BOOST_AUTO_TEST_CASE(columns_alone_that_hold_no_flags) {
  BOOST_TEST(refusal("!a && b > 1", {Integers{0, 1, 7}, Integers{1, 2, 3}}) ==
             "condition: 'a' alone is no condition (it holds 7; flags are bools, or integers that are all 0 or 1); "
             "compare it with something\n"
             "  !a && b > 1\n"
             "   ^");
  const auto says = [](const char* text, const ColumnValues& values, const char* part) {
    const auto message = refusal(text, {values});
    BOOST_TEST(message.find(part) != message.npos, text << " gives: " << message);
  };
  says("a", Integers{-1}, "it holds -1;");
  says("(a)", std::vector<std::uint64_t>{UINT64_MAX}, "it holds 18446744073709551615;");
  for (const char* text : {"a", "a and true", "false || a", "not (a)"}) {
    says(text, Texts{}, "it holds texts;");
    says(text, std::vector<double>{}, "it holds floats;");
    says(text, Integers{}, "");
    BOOST_TEST(refusal(text, {Integers{0, 1}}) == "");
  }
}

BOOST_AUTO_TEST_CASE(values_that_are_refused_have_a_place) {
  const auto row_of = [](const char* text, std::vector<std::int64_t> values) {
    std::vector<std::uint8_t> keep;
    try {
      Condition::parse(text).evaluate({ColumnValues(std::move(values))}, keep);
    } catch (const condition::ConditionValueError& error) {
      return static_cast<int>(error.row);
    }
    return -1;
  };
  for (const int at : {0, 3, 1023, 1024, 5000}) {
    std::vector<std::int64_t> values(6000);
    values[5500] = values[static_cast<std::size_t>(at)] = INT64_MAX;
    BOOST_TEST(row_of("a", values) == at);
    BOOST_TEST(row_of("not a or true", values) == at);
    BOOST_TEST(row_of("a * a * a > 0", values) == at);
  }
}

BOOST_AUTO_TEST_CASE(integers_beyond_all_bits_are_told) {
  const auto message = refusal("a * a * a > 0", {Integers{1, INT64_MAX}});
  BOOST_TEST(message ==
             "condition: an integer grows beyond 128 bits here; write 1.0 * a * a to compute in float64\n"
             "  a * a * a > 0\n"
             "  ^^^^^^^^^");
  BOOST_TEST(refusal("1.0 * a * a * a > 0", {Integers{1, INT64_MAX}}) == "");
  BOOST_TEST(refusal("a * a * a > 0", {Integers{1, 1ll << 40}}) == "");
  BOOST_TEST(refusal("a * a * -2 < 0", {Integers{INT64_MIN}}) != "");  // -2^127 would be the undefined one
  BOOST_TEST(refusal("u * u > 0", {std::vector<std::uint64_t>{UINT64_MAX}}) != "");
}

BOOST_AUTO_TEST_SUITE_END()
