#include "condition/compare.hpp"

#include <algorithm>
#include <type_traits>

#include "base/contract.hpp"

namespace headrace::condition {
namespace {

template <class Left, class Right, class Test>
Logicals each(const Left& left, const Right& right, std::size_t n, const Test& test) {
  Logicals result(n);
  for (std::size_t i = 0; i < n; ++i) result[i] = static_cast<std::uint8_t>(test(left[i], right[i]));
  return result;
}

// `|` where `||` would do: without jumps the compiler can use vector registers.
template <class Left, class Right>
Logicals compare_numbers(Operation operation, const Left& left, const Right& right, std::size_t n) {
  switch (operation) {
    case Operation::equal:
      return each(left, right, n, [](auto a, auto b) { return equal(a, b); });
    case Operation::unequal:
      return each(left, right, n, [](auto a, auto b) { return less(a, b) | less(b, a); });
    case Operation::less:
      return each(left, right, n, [](auto a, auto b) { return less(a, b); });
    case Operation::less_equal:
      return each(left, right, n, [](auto a, auto b) { return less(a, b) | equal(a, b); });
    case Operation::greater:
      return each(left, right, n, [](auto a, auto b) { return less(b, a); });
    default:
      EXPECTS(operation == Operation::greater_equal);
      return each(left, right, n, [](auto a, auto b) { return less(b, a) | equal(a, b); });
  }
}

Logicals compare_texts(Operation operation, const Texts& left, const Texts& right, std::size_t n) {
  EXPECTS(operation == Operation::equal || operation == Operation::unequal);
  const bool wanted = operation == Operation::equal;
  return each(left, right, n, [wanted](const auto& a, const auto& b) { return (a == b) == wanted; });
}

template <class List, class Value>
bool holds(const List& list, const Value& value) {
  return std::binary_search(list.begin(), list.end(), value);
}

bool contains(const Set& set, const std::string& value) {
  return holds(set.texts, value);
}
bool contains(const Set& set, Integer value) {
  return holds(set.integers, value);
}  // which are all defined
bool contains(const Set& set, double value) {
  const auto whole = whole_number(value);
  return whole ? holds(set.integers, *whole) : holds(set.reals, value);
}

bool comparable(const std::string&) {
  return true;
}
bool comparable(Integer value) {
  return defined(value);
}
bool comparable(double value) {
  return value == value;
}

}  // namespace

Logicals compare(Operation operation, const Values& left, const Values& right, std::size_t n) {
  return std::visit(
      [&](const auto& a, const auto& b) -> Logicals {
        using A = std::decay_t<decltype(a)>;
        using B = std::decay_t<decltype(b)>;
        if constexpr (std::is_same_v<A, Texts> && std::is_same_v<B, Texts>)
          return compare_texts(operation, a, b, n);
        else if constexpr ((std::is_same_v<A, Integers> || std::is_same_v<A, Reals>)&&(std::is_same_v<B, Integers> ||
                                                                                       std::is_same_v<B, Reals>))
          return compare_numbers(operation, a, b, n);
        EXPECTS(false);
        return {};
      },
      left, right);
}

Logicals member(const Set& set, bool negated, const Values& values, std::size_t n) {
  return std::visit(
      [&](const auto& list) {
        Logicals result(n);
        if constexpr (!std::is_same_v<std::decay_t<decltype(list)>, Logicals>)
          for (std::size_t i = 0; i < n; ++i)
            result[i] = static_cast<std::uint8_t>(comparable(list[i]) && contains(set, list[i]) != negated);
        return result;
      },
      values);
}

}  // namespace headrace::condition
