// Random conditions against a second evaluation of them, one sample at a time.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <random>

#include "base/error.hpp"
#include "condition/condition.hpp"
#include "condition/condition_reference.hpp"

using namespace headrace;
using namespace condition_reference;
using condition::ColumnValues;
using condition::Condition;

namespace {

/// A part of a condition: how it is written, and what it is worth for a sample.
struct Part {
  std::string text;
  int strength;  ///< 1 or, 2 and, 3 not, 4 comparison, 5 sum, 6 product, 7 sign, 8 alone
  std::function<Value(std::size_t)> value;
};

Number number_of(const Part& part, std::size_t sample) {
  return std::get<Number>(part.value(sample));
}
bool truth(const Part& part, std::size_t sample) {
  return std::get<bool>(part.value(sample));
}

constexpr std::size_t samples = 24;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {
    fill("i", std::vector<std::int64_t>{0, 1, -1, 2, 3, -7, 100, 1ll << 53, (1ll << 53) + 1, INT64_MAX, INT64_MIN,
                                        INT64_MAX - 1});
    fill("jets.n", std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
    fill("u", std::vector<std::uint64_t>{0, 1, 2, 5, (1ull << 53) + 1, 1ull << 63, UINT64_MAX, UINT64_MAX - 1});
    fill("g/x", std::vector<double>{0.0, -0.0, 0.25, -0.25, 1, 1.5, 2, -3, 1e300, nan_, inf_, -inf_});
    fill("`a b`.y",
         std::vector<double>{0x1p53, 0x1p63, -0x1p63, 0x1p64, 0x1p127, -0x1p127, 0x1p-1074, 0.1, 3, nan_, 5});
    fill("s", std::vector<std::string>{"", "a", "b", "a b"});
    fill("t", std::vector<std::string>{"a", "b", "c"});
    fill("jets.ok", std::vector<std::int64_t>{0, 1});
  }

  Part condition(int depth) {
    switch (depth <= 0 ? 3 + pick(2) : pick(10)) {
      case 0:
        return joined("||", " or ", 1, depth, [](bool a, bool b) { return a || b; });
      case 1:
        return joined("&&", " and ", 2, depth, [](bool a, bool b) { return a && b; });
      case 2: {
        const auto part = condition(depth - 1);
        return {(pick(2) ? "!" : "not ") + within(part, 3), 3, [=](std::size_t i) { return !truth(part, i); }};
      }
      case 3:
        return membership(depth);
      case 4: {
        const auto part = number(depth - 1);
        return {"isnan(" + part.text + ")", 8, [=](std::size_t i) { return std::isnan(real(number_of(part, i))); }};
      }
      case 5:
        return texts();
      case 6:
        return equality(depth);
      case 7:
        return flag();
      default:
        return comparison(depth);
    }
  }

  /// In the order of the condition's columns.
  std::vector<ColumnValues> columns(const Condition& condition) const {
    std::vector<ColumnValues> result;
    for (const auto& name : condition.columns()) result.push_back(columns_.at(name));
    return result;
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  template <class List>
  auto any(const List& list) {
    return list[pick(list.size())];
  }
  std::string space() { return pick(3) ? " " : ""; }

  template <class T>
  void fill(std::string name, const std::vector<T>& pool) {
    std::vector<T> values(samples);
    for (auto& value : values) value = any(pool);
    std::erase(name, '`');
    columns_[name] = values;
  }

  /// The part as it is written where at least `strength` is needed; sometimes in needless parentheses.
  std::string within(const Part& part, int strength) {
    return part.strength < strength || pick(10) == 0 ? "(" + space() + part.text + space() + ")" : part.text;
  }

  template <class Join>
  Part joined(const char* sign, const char* word, int strength, int depth, const Join& join) {
    const auto a = condition(depth - 1), b = condition(depth - 1);
    const auto between = pick(2) ? space() + sign + space() : std::string(word);
    return {within(a, strength) + between + within(b, strength + 1), strength,
            [=](std::size_t i) { return join(truth(a, i), truth(b, i)); }};
  }

  Part comparison(int depth) {
    static const std::vector<std::string> signs{"==", "!=", "<", "<=", ">", ">="};
    std::vector<Part> parts{number(depth - 1)};
    std::vector<std::string> between;
    auto text = within(parts[0], 5);
    do {
      parts.push_back(number(depth - 1));
      between.push_back(any(signs));
      text += space() + between.back() + space() + within(parts.back(), 5);
    } while (pick(6) == 0);
    return {text, 4, [=](std::size_t i) {
              bool all = true;  // every link, so that both sides see the same overflows
              for (std::size_t link = 0; link < between.size(); ++link)
                all &= compare(between[link], parts[link].value(i), parts[link + 1].value(i));
              return all;
            }};
  }

  Part equality(int depth) {
    const auto a = condition(depth - 1), b = pick(2) ? condition(depth - 1) : number(depth - 1);
    const std::string sign = pick(2) ? "==" : "!=";
    return {within(a, 5) + space() + sign + space() + within(b, 5), 4,
            [=](std::size_t i) { return compare(sign, a.value(i), b.value(i)); }};
  }

  /// A column alone; beside == it is the number 0 or 1, which comes to the same.
  Part flag() {
    const auto part = column("jets.ok");
    return {part.text, 8, [=](std::size_t i) { return order(number_of(part, i), cpp_int(0)) != 0; }};
  }

  Part text() {
    if (pick(3) == 0) {
      const auto value = any(std::vector<std::string>{"", "a", "b", "a b", "\xc3\xa9"});
      return {pick(2) ? "'" + value + "'" : "\"" + value + "\"", 8, [=](std::size_t) { return value; }};
    }
    return column(pick(2) ? "s" : "t");
  }

  Part texts() {
    const auto a = text();
    if (pick(2)) {
      const auto b = text();
      const std::string sign = pick(2) ? "==" : "!=";
      return {a.text + space() + sign + space() + b.text, 4,
              [=](std::size_t i) { return compare(sign, a.value(i), b.value(i)); }};
    }
    const bool negated = pick(2);
    return {a.text + (negated ? " not in ('a'," : " in ('a',") + space() + "'')", 4, [=](std::size_t i) {
              const auto value = std::get<std::string>(a.value(i));
              return (value == "a" || value.empty()) != negated;
            }};
  }

  Part membership(int depth) {
    const auto left = number(depth - 1);
    const bool negated = pick(2);
    std::vector<Number> list;
    std::string text;
    for (auto n = 1 + pick(5); n > 0; --n) {
      const auto constant = constant_number();
      const bool negative = pick(3) == 0;
      auto value = number_of(constant, 0);
      if (negative)
        value = compute("*", value, std::holds_alternative<double>(value) ? Number(-1.0) : Number(cpp_int(-1)));
      list.push_back(value);
      text += (text.empty() ? "" : ",") + space() + (negative ? "-" : "") + constant.text;
    }
    return {within(left, 5) + (negated ? " not in" : " in") + space() + "(" + text + ")", 4, [=](std::size_t i) {
              const auto value = number_of(left, i);
              bool found = false;
              for (const auto& entry : list) found |= order(value, entry) == 0;
              return !std::isnan(real(value)) && found != negated;
            }};
  }

  Part constant_number() {
    static const std::vector<std::string> integers{"0",
                                                   "1",
                                                   "2",
                                                   "3",
                                                   "7",
                                                   "1_000",
                                                   "9007199254740993",
                                                   "9223372036854775807",
                                                   "9223372036854775808",
                                                   "18446744073709551615"};
    static const std::vector<std::string> reals{"0.25",
                                                "1.5",
                                                "2.0",
                                                ".5",
                                                "3.",
                                                "1e3",
                                                "9007199254740992.0",
                                                "18446744073709551616.0",
                                                "1e300",
                                                "1.7014118346046923e+38",
                                                "nan",
                                                "inf"};
    auto text = pick(2) ? any(integers) : any(reals);
    auto digits = text;
    std::erase(digits, '_');
    const bool whole = digits.find_first_not_of("0123456789") == digits.npos;
    const Number value = whole ? Number(cpp_int(digits)) : Number(std::strtod(digits.c_str(), nullptr));
    return {text, 8, [=](std::size_t) { return value; }};
  }

  Part column(const std::string& written) {
    auto name = written;
    std::erase(name, '`');
    return {written, 8, [values = columns_.at(name)](std::size_t i) {
              return std::visit(
                  [i](const auto& list) -> Value {
                    using T = typename std::decay_t<decltype(list)>::value_type;
                    if constexpr (std::is_same_v<T, std::string>)
                      return list[i];
                    else if constexpr (std::is_same_v<T, double>)
                      return Number(list[i]);
                    else
                      return Number(cpp_int(list[i]));
                  },
                  values);
            }};
  }

  Part number(int depth) {
    switch (depth <= 0 ? pick(2) : pick(9)) {
      case 0:
        return constant_number();
      case 1:
      case 2:
        return column(any(std::vector<std::string>{"i", "jets.n", "u", "g/x", "`a b`.y"}));
      case 3: {
        const auto part = number(depth - 1);
        return {"abs(" + part.text + ")", 8, [=](std::size_t i) {
                  const auto value = number_of(part, i);
                  return order(value, cpp_int(0)) == -1 ? compute("-", cpp_int(0), value) : value;
                }};
      }
      case 4: {
        const auto part = number(depth - 1);
        return {"-" + space() + within(part, 7), 7, [=](std::size_t i) {
                  const auto value = number_of(part, i);
                  return std::holds_alternative<double>(value) ? Number(-std::get<double>(value))
                                                               : compute("-", cpp_int(0), value);
                }};
      }
      default: {
        const std::string sign = any(std::vector<std::string>{"+", "-", "*", "/", "%"});
        const int strength = sign == "+" || sign == "-" ? 5 : 6;
        const auto a = number(depth - 1), b = number(depth - 1);
        const auto blank = sign == "/" ? " " : space();  // a/b is a path
        return {within(a, strength) + blank + sign + blank + within(b, strength + 1), strength,
                [=](std::size_t i) { return compute(sign, number_of(a, i), number_of(b, i)); }};
      }
    }
  }

  std::mt19937 random_;
  std::map<std::string, ColumnValues> columns_;
};

/// What the second evaluation keeps; nothing where an integer is too large for some sample.
std::optional<std::vector<std::uint8_t>> expected(const Part& part) {
  std::vector<std::uint8_t> keep;
  try {
    for (std::size_t i = 0; i < samples; ++i) keep.push_back(truth(part, i));
  } catch (const TooLarge&) {
    return std::nullopt;
  }
  return keep;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(condition_random)

BOOST_AUTO_TEST_CASE(random_conditions_agree_with_a_second_evaluation) {
  std::size_t refused = 0, mixed = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Generator generator(seed);
    const auto part = generator.condition(static_cast<int>(seed % 5));
    const auto wanted = expected(part);
    std::vector<std::uint8_t> keep(samples);
    std::string error;
    try {
      const auto condition = Condition::parse(part.text);
      condition.evaluate(generator.columns(condition), keep);
    } catch (const UsageError& e) {
      error = e.what();
    }
    const bool too_large = error.find("beyond 128 bits") != error.npos;
    BOOST_TEST((wanted ? error.empty() && keep == *wanted : too_large), "seed " << seed << ": " << part.text << "\n"
                                                                                << error);
    refused += too_large;
    mixed += wanted && std::count(wanted->begin(), wanted->end(), 1) % static_cast<long>(samples) != 0;
  }
  BOOST_TEST(refused > 2u);  // the generator reaches what it should
  BOOST_TEST(refused < 300u);
  BOOST_TEST(mixed > 1000u);
}

BOOST_AUTO_TEST_SUITE_END()
