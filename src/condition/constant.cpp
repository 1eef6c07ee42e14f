#include "condition/constant.hpp"

#include <algorithm>
#include <charconv>

namespace headrace::condition {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Constant number(std::string_view text, const Token& token) {
  const auto* begin = token.value.data();
  const auto* end = begin + token.value.size();
  std::uint64_t integer = 0;
  const auto [whole_end, whole_error] = std::from_chars(begin, end, integer);
  if (whole_end == end && whole_error == std::errc{}) return static_cast<Integer>(integer);
  if (whole_end == end)
    throw error_at(text, token.place, "the integer is beyond 64 bits; write a point for a float64, as in 1.0");
  double real = 0;
  const auto [real_end, real_error] = std::from_chars(begin, end, real);
  if (real_end == end && real_error == std::errc{}) return real;
  if (real_end == end)
    throw error_at(text, token.place, "the number is beyond float64 (1e-307 to 1e308); write inf or 0");
  throw error_at(text, token.place,
                 "'" + words(text, token.place) +
                     "' is no number; write 20, 2.5, 1e-3 or 1_000 (a name that begins with a "
                     "digit stands in `backquotes`)");
}

}  // namespace

std::optional<Constant> constant(std::string_view text, const Token& token) {
  if (token.kind == Token::Kind::number) return number(text, token);
  if (token.kind == Token::Kind::text) return token.value;
  if (token.is_word("true") || token.is_word("True")) return true;
  if (token.is_word("false") || token.is_word("False")) return false;
  if (token.is_word("nan") || token.is_word("NaN")) return not_a_number;
  if (token.is_word("inf")) return infinity;
  return std::nullopt;
}

bool insert(Set& set, const Constant& constant) {
  if (const auto* word = std::get_if<std::string>(&constant)) {
    set.texts.push_back(*word);
  } else if (const auto* real = std::get_if<double>(&constant)) {
    if (const auto whole = whole_number(*real))
      set.integers.push_back(*whole);
    else if (*real == *real)
      set.reals.push_back(*real);
    else
      set.has_nan = true;
  } else {
    const auto* logical = std::get_if<bool>(&constant);
    set.integers.push_back(logical ? Integer{*logical} : std::get<Integer>(constant));
  }
  return set.texts.empty() || (set.integers.empty() && set.reals.empty() && !set.has_nan);
}

void finish(Set& set) {
  const auto sort = [](auto& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  };
  sort(set.integers);
  sort(set.reals);
  sort(set.texts);
}

}  // namespace headrace::condition
