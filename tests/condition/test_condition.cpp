#include "condition/condition.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "base/error.hpp"

using namespace headrace;
using condition::ColumnValues;
using condition::Condition;

namespace {

constexpr double nan_ = std::numeric_limits<double>::quiet_NaN(), inf_ = std::numeric_limits<double>::infinity();

/// Columns that conditions of these tests can name, of four samples each.
ColumnValues column(const std::string& name) {
  using I = std::vector<std::int64_t>;
  using U = std::vector<std::uint64_t>;
  using D = std::vector<double>;
  if (name == "i" || name == "jets.n") return I{-2, 0, 1, 7};
  if (name == "j") return I{3, 0, -3, 2};
  if (name == "big") return I{INT64_MIN, INT64_MAX, (1ll << 53) + 1, -1};
  if (name == "u") return U{0, UINT64_MAX, (1ull << 53) + 1, 5};
  if (name == "x" || name == "a/b.x") return D{-1.5, 0.0, 2.5, nan_};
  if (name == "y") return D{9007199254740992.0, 18446744073709551616.0, inf_, -inf_};
  if (name == "flag" || name == "my data.is it") return I{0, 1, 1, 0};
  if (name == "s") return std::vector<std::string>{"a", "b", "", "a b"};
  if (name == "t") return std::vector<std::string>{"a", "c", "", "d"};
  throw std::logic_error("no column " + name);
}

std::string kept(const Condition& condition) {
  std::vector<ColumnValues> values;
  for (const auto& name : condition.columns()) values.push_back(column(name));
  std::vector<std::uint8_t> keep(4, 9);
  condition.evaluate(values, keep);
  std::string result;
  for (const auto k : keep) result += k == 1 ? '1' : k == 0 ? '0' : '?';
  return result;
}

struct Case {
  const char* text;
  const char* kept;  ///< 1 for each sample where it holds
};

void check(std::initializer_list<Case> cases) {
  for (const auto& [text, expected] : cases) {
    std::string found;
    try {
      found = kept(Condition::parse(text));
    } catch (const std::exception& error) {
      found = error.what();
    }
    BOOST_TEST(found == expected, text << ": " << found << ", not " << expected);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conditions)

BOOST_AUTO_TEST_CASE(comparisons_of_integers) {
  check({{"i == 0", "0100"},   {"i != 0", "1011"},  {"i < 1", "1100"},     {"i <= 1", "1110"},    {"i > 0", "0011"},
         {"i >= 0", "0111"},   {"0 < i", "0011"},   {"i == j", "0100"},    {"i<j", "1000"},       {"i>=j", "0111"},
         {"i == 7.0", "0001"}, {"i < 0.5", "1100"}, {"i > -1.5", "0111"},  {"i >= -2.5", "1111"}, {"i != 1.5", "1111"},
         {"i == -2", "1000"},  {"i == +1", "0010"}, {"i == - -1", "0010"}, {"1_0 > i", "1111"},   {"i == 07", "0001"},
         {"u == 0", "1000"},   {"u > i", "1110"},   {"u > -1", "1111"},    {"u != u", "0000"}});
}

BOOST_AUTO_TEST_CASE(comparisons_are_exact_between_all_kinds) {
  check({{"big == -9223372036854775808", "1000"},
         {"big < -9223372036854775807", "1000"},
         {"big == 9223372036854775807", "0100"},
         {"big == 9223372036854775807.0", "0000"},  // the double is one more
         {"big < 9223372036854775808.0", "1111"},
         {"big == 9007199254740993", "0010"},
         {"big == 9007199254740992", "0000"},
         {"big == 9007199254740992.0", "0000"},
         {"big > 9007199254740992.0", "0110"},
         {"big == -9223372036854775808.0", "1000"},
         {"u == 18446744073709551615", "0100"},
         {"u < 18446744073709551616.0", "1111"},
         {"u == 18446744073709551616.0", "0000"},
         {"u == big", "0010"},
         {"u > big", "1101"},
         {"u == -1", "0000"},
         {"big == u - 18446744073709551615 - 1", "0000"},
         {"u > y", "0001"},
         {"u < y", "1110"},
         {"y == 9007199254740992", "1000"},
         {"y > 9007199254740991", "1110"},
         {"y < 9007199254740993", "1001"},
         {"y <= 9007199254740993", "1001"},
         {"y > big", "1110"},
         {"y >= 18446744073709551615", "0110"},
         {"y == inf", "0010"},
         {"y == -inf", "0001"},
         {"y < inf", "1101"},
         {"big < inf", "1111"},
         {"big > -inf", "1111"}});
}

BOOST_AUTO_TEST_CASE(nan_compares_false) {
  check({{"x == x", "1110"},          {"x != x", "0000"},           {"x < 1", "1100"},        {"x <= inf", "1110"},
         {"x > -inf", "1110"},        {"x != 0", "1010"},           {"x == nan", "0000"},     {"x != nan", "0000"},
         {"i < nan", "0000"},         {"i != nan", "0000"},         {"nan == nan", "0000"},   {"nan != nan", "0000"},
         {"isnan(x)", "0001"},        {"!isnan(x)", "1110"},        {"not (x == 0)", "1011"}, {"x in (0, nan)", "0100"},
         {"x not in (0, 3)", "1010"}, {"x not in (nan,)", "1110"},  {"isnan(i)", "0000"},     {"isnan(x + i)", "0001"},
         {"isnan(nan)", "1111"},      {"isnan(inf - inf)", "1111"}, {"isnan(y - y)", "0011"}, {"isnan(abs(x))", "0001"},
         {"isnan(-x)", "0001"},       {"0 < x < inf", "0010"}});
}

BOOST_AUTO_TEST_CASE(arithmetic) {
  check({{"i + 1 == 2", "0010"},       {"i - j > 0", "0011"},        {"i * j == 14", "0001"},
         {"i * j == -6", "1000"},      {"-i == 2", "1000"},          {"+i == 7", "0001"},
         {"abs(i) == 2", "1000"},      {"abs(x) == 1.5", "1000"},    {"abs(-3) == 3", "1111"},
         {"abs(i - 3) > 3", "1001"},   {"x + i > 3", "0010"},        {"x * 2 == 5", "0010"},
         {"i / 2 == 3.5", "0001"},     {"7 / 2 == 3.5", "1111"},     {"i / 2 == 0.5", "0010"},
         {"1 + 2 * 3 == 7", "1111"},   {"(1 + 2) * 3 == 9", "1111"}, {"8 - 4 - 2 == 2", "1111"},
         {"8 / 4 / 2 == 1", "1111"},   {"-2 * -3 == 6", "1111"},     {"2 - -3 == 5", "1111"},
         {"8 - 4 * 2 == 0", "1111"},   {"17 % 5 * 2 == 4", "1111"},  {"2 * 17 % 5 == 4", "1111"},
         {"-7 % 3 == 2", "1111"},      {"7 % -3 == -2", "1111"},     {"-7 % -3 == -1", "1111"},
         {"i % 2 == 0", "1100"},       {"i % 3 == 1", "1011"},       {"-7.5 % 2 == 0.5", "1111"},
         {"7.5 % -2 == -0.5", "1111"}, {"x % 1 == 0.5", "1010"},     {"-5 % inf == inf", "1111"},
         {"5 % inf == 5", "1111"},     {"u % 2 == 1", "0111"},       {"1/2 == 0.5", "1111"},
         {"i/2 > 3", "0001"},          {"(i)/(j) > 3", "0001"}});
}

BOOST_AUTO_TEST_CASE(integers_stay_exact_and_never_wrap) {
  check({{"big + 1 > 0", "0110"},
         {"big - 1 < 0", "1001"},
         {"big + 9223372036854775807 == 18446744073709551614", "0100"},
         {"-big == 9223372036854775808", "1000"},
         {"abs(big) == 9223372036854775808", "1000"},
         {"u - 1 < 0", "1000"},
         {"u + 1 == 18446744073709551616.0", "0100"},
         {"u + 1 > 18446744073709551615", "0100"},
         {"u * 9223372036854775807 > u", "0111"},
         {"u * 3 - u * 2 == u", "1111"},
         {"u * 5 % 10 == 5", "0111"},
         {"(u * big + 1) % u == 1", "0111"},
         {"big % 10 == 7", "0100"},
         {"big % -10 == -8", "1000"},
         {"u / u == 1", "0111"}});
}

BOOST_AUTO_TEST_CASE(zero_divides_to_inf_and_nan) {
  check({{"i / 0 == inf", "0011"},     {"i / 0 == -inf", "1000"},        {"isnan(i / 0)", "0100"},
         {"x / 0.0 == inf", "0010"},   {"isnan(x / 0)", "0101"},         {"1 / 0 == inf", "1111"},
         {"isnan(i % 0)", "1111"},     {"i % 0 == 0", "0000"},           {"i % 0 != 0", "0000"},
         {"isnan(7 % j)", "0100"},     {"7 % j == 1", "1001"},           {"7 % j != 1", "0010"},
         {"7 % j < 9", "1011"},        {"7 % j + 1 > 0", "1001"},        {"-(7 % j) < 0", "1001"},
         {"abs(7 % j) >= 0", "1011"},  {"isnan(7 % j * 2 - 1)", "0100"}, {"7 % j + 0.5 > 0", "1001"},
         {"7 % j in (1, -2)", "1011"}, {"7 % j not in (1, 2)", "0010"},  {"isnan(1 % (7 % j))", "0100"},
         {"isnan(x % 0)", "1111"},     {"isnan(inf % 2)", "1111"},       {"7 % j < inf", "1011"},
         {"7 % j > -inf", "1011"},     {"7 % j > -0.5", "1001"},         {"7 % j == j % j + 1.0", "1001"}});
}

BOOST_AUTO_TEST_CASE(logic) {
  check({{"true", "1111"},
         {"false", "0000"},
         {"True && !False", "1111"},
         {"i > 0 && x > 0", "0010"},
         {"i > 0 and x > 0", "0010"},
         {"i > 0 || x < 0", "1011"},
         {"i > 0 or x < 0", "1011"},
         {"!(i > 0)", "1100"},
         {"not i > 0", "1100"},
         {"!i > 0", "1100"},  // ! binds like not
         {"!!(i > 0)", "0011"},
         {"not not i > 0", "0011"},
         {"!i == 0 && !i == 1", "1001"},
         {"i == 0 || i == 1 && x > 9", "0100"},  // && before ||
         {"(i == 0 || i == 1) && x > 0", "0010"},
         {"x > 9 && i == 0 || i == 1", "0010"},
         {"not i == 0 and not i == 1 or x == 0", "1101"},
         {"true || false && false", "1111"},
         {"i == -2 || i == 0 || i == 1 || i == 7", "1111"},
         {"i > -9 && i < 7 && i != 0 && true", "1010"},
         {"(i > 0) == (x > 0)", "1110"},
         {"(i > 0) != (x > 0)", "0001"},
         {"(i > 0) == true", "0011"},
         {"flag == true", "0110"},
         {"flag != true", "1001"},
         {"flag == false", "1001"},
         {"flag in (true,)", "0110"},
         {"x == false", "0100"}});
}

BOOST_AUTO_TEST_CASE(flags_alone) {
  check({{"flag", "0110"},
         {"(flag)", "0110"},
         {"!flag", "1001"},
         {"not flag", "1001"},
         {"!!`my data`.`is it`", "0110"},
         {"!flag && i >= 0", "0001"},
         {"i > 0 and flag", "0010"},
         {"flag or x < 0", "1110"},
         {"flag || flag && i > 5", "0110"},
         {"(flag && true) == flag", "1111"},
         {"(!flag) != (i > 0)", "1010"}});
}

BOOST_AUTO_TEST_CASE(chains) {
  check({{"0 <= i < 7", "0110"},
         {"0 < i <= 7 != x", "0010"},
         {"-3 < i < 0 || 0 < i < 3", "1010"},
         {"i == i == i", "1111"},
         {"j < i < j", "0000"},
         {"!0 <= i < 7", "1001"},
         {"i - 1 < i < i + 1", "1111"}});
}

BOOST_AUTO_TEST_CASE(lists) {
  check({{"i in (0, 7)", "0101"},
         {"i not in (0, 7)", "1010"},
         {"i in (-2)", "1000"},
         {"i in (-2,)", "1000"},
         {"i in (+1, - 2)", "1010"},
         {"i in (7.0, 0.5)", "0001"},
         {"i + 1 in (1, 2)", "0110"},
         {"not i in (0, 7)", "1010"},
         {"!i in (0, 7) && x < 0", "1000"},
         {"x in (2.5, -1.5)", "1010"},
         {"x in (0, 1)", "0100"},
         {"x in (0.0, inf)", "0100"},
         {"y in (inf, -inf)", "0011"},
         {"y in (9007199254740992)", "1000"},
         {"y in (9007199254740993)", "0000"},
         {"y in (18446744073709551616.0)", "0100"},
         {"u in (18446744073709551615)", "0100"},
         {"u in (18446744073709551616.0)", "0000"},
         {"big in (9007199254740992.0)", "0000"},
         {"big in (9007199254740993)", "0010"},
         {"big not in (9007199254740993)", "1101"},
         {"s in ('a', 'a b')", "1001"},
         {"s not in ('a', 'a b')", "0110"},
         {"s in (\"\")", "0010"},
         {"'a' in ('a', 'b')", "1111"},
         {"5 in (4, 6)", "0000"}});
}

BOOST_AUTO_TEST_CASE(texts) {
  check({{"s == \"a\"", "1000"},
         {"s != 'a'", "0111"},
         {"'a b' == s", "0001"},
         {"s == t", "1010"},
         {"s != t", "0101"},
         {"s == ''", "0010"},
         {"'a' == \"a\"", "1111"},
         {"'a' != 'b'", "1111"},
         {"s == t == 'a'", "1000"},
         {"s == 'b' || t == 'd'", "0101"},
         {"s == '\"'", "0000"}});
}

BOOST_AUTO_TEST_CASE(names_of_columns) {
  check({{"jets.n == 7", "0001"},
         {"a/b.x > 0", "0010"},
         {"`a/b`.x > 0", "0010"},
         {"`a/b.x` > 0", "0010"},
         {"`my data`.`is it` == 1", "0110"},
         {"`my data.is it` == 1", "0110"},
         {"`i` == 7", "0001"},
         {"i==7&&jets.n==7||`a/b`.x==0", "0101"},
         {" \t\n i\r\n == 7 ", "0001"}});
  const auto names = [](const char* text) { return Condition::parse(text).columns(); };
  using Names = std::vector<std::string>;
  BOOST_TEST((names("b > 0 && a.x < b && `b` == 1") == Names{"b", "a.x"}));
  BOOST_TEST((names("@csv.x > 0 && b == 1") == Names{"@csv.x", "b"}));  // the table of an inventory
  BOOST_TEST((names("/entry/data.pt > 1") == Names{"/entry/data.pt"}));
  BOOST_TEST((names("2 * /entry/data > 1 and /x/y in (1,2)") == Names{"/entry/data", "/x/y"}));
  BOOST_TEST((names("(a) /b > 1") == Names{"a", "b"}));
  BOOST_TEST((names("a /b > 1") == Names{"a", "b"}));
  BOOST_TEST((names("a / b > a/b") == Names{"a", "b", "a/b"}));
  BOOST_TEST((names("a/2 > 0") == Names{"a"}));
  BOOST_TEST((names("g1/d.2/x_y.v1 > 0") == Names{"g1/d.2/x_y.v1"}));
  BOOST_TEST((names("`in` == 1 && `true` == 2 && `abs` == 3 && abs == 4") == Names{"in", "true", "abs"}));
  BOOST_TEST((names("true").empty()));
  BOOST_TEST(Condition::parse(" i > 1 ").text() == " i > 1 ");
}

BOOST_AUTO_TEST_CASE(values_are_what_the_column_makes_of_them) {
  using Values = std::vector<std::string>;
  const auto found = [](const std::string& column, const ColumnValues& all, const Values& values) {
    const auto condition = Condition::of_values(column, values);
    BOOST_TEST((condition.columns() == Values{column}));
    std::vector<std::uint8_t> keep(std::visit([](const auto& some) { return some.size(); }, all), 9);
    condition.evaluate({all}, keep);
    std::string result;
    for (const auto k : keep) result += k == 1 ? '1' : '0';
    return result;
  };
  const ColumnValues texts = Values{"it's", "5", "007", "a\"b'", "true", "5.0"};
  BOOST_TEST(found("s", texts, {"5"}) == "010000");
  BOOST_TEST(found("s", texts, {"it's", "007", "a\"b'", "true"}) == "101110");
  const ColumnValues integers = std::vector<std::int64_t>{0, 1, 5, -5, std::int64_t{1} << 60};
  BOOST_TEST(found("n", integers, {"5.0", "-5", "1152921504606846976"}) == "00111");
  BOOST_TEST(found("n", integers, {"true"}) == "01000");
  BOOST_TEST(found("n", integers, {"false", "+5"}) == "10100");
  const ColumnValues reals = std::vector<double>{0.1, 5, std::numeric_limits<double>::quiet_NaN()};
  BOOST_TEST(found("x", reals, {"0.1", "nan"}) == "100");
  BOOST_TEST(found("x", reals, {"5"}) == "010");
  BOOST_CHECK_EXCEPTION(found("n", integers, {"5", "RED"}), UsageError, [](const auto& error) {
    return std::string(error.what()).find("'RED' is no number, and 'n' holds numbers") != std::string::npos;
  });
  BOOST_CHECK_THROW(Condition::of_values("a || b", {"1"}), UsageError);
}

BOOST_AUTO_TEST_CASE(without_columns_keep_keeps_its_length) {
  std::vector<std::uint8_t> keep(3000, 7);
  Condition::parse("1 < 2").evaluate({}, keep);
  BOOST_TEST((keep == std::vector<std::uint8_t>(3000, 1)));
  keep.clear();
  Condition::parse("1 < 2").evaluate({}, keep);
  BOOST_TEST(keep.empty());
}

BOOST_AUTO_TEST_CASE(blocks_join_without_a_seam) {
  for (const std::size_t n : {0, 1, 1023, 1024, 1025, 5000}) {
    std::vector<std::int64_t> numbers(n);
    std::vector<std::string> texts(n);
    for (std::size_t i = 0; i < n; ++i) numbers[i] = static_cast<std::int64_t>(i), texts[i] = std::to_string(i % 3);
    std::vector<std::uint8_t> keep(17);
    Condition::parse("n % 7 == 3 && t == '1'").evaluate({numbers, texts}, keep);
    BOOST_TEST(keep.size() == n);
    for (std::size_t i = 0; i < keep.size(); ++i) BOOST_TEST((keep[i] == 1) == (i % 7 == 3 && i % 3 == 1));
  }
}

BOOST_AUTO_TEST_SUITE_END()
