#include "condition/evaluator.hpp"

#include <algorithm>
#include <type_traits>

#include "base/contract.hpp"
#include "condition/compare.hpp"

namespace headrace::condition {
namespace {

/// Of a column, so of 64 bits.
std::string shown(Integer value) {
  return value < 0 ? std::to_string(static_cast<std::int64_t>(value))
                   : std::to_string(static_cast<std::uint64_t>(value));
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const std::vector<ColumnValues>& columns, std::size_t begin, std::size_t n)
      : text_(text), columns_(columns), begin_(begin), n_(n) {}

  /// Of a part that must be a condition: a column alone is one where it holds flags.
  Logicals logical(const Expression& part) const {
    auto result = values(part);
    if (auto* logicals = std::get_if<Logicals>(&result)) return std::move(*logicals);
    const auto why = [&](const std::string& holds) {
      return "'" + words(text_, part.place) + "' alone is no condition (it holds " + holds +
             "; flags are bools, or integers that are all 0 or 1); compare it with something";
    };
    if (is_text(result)) throw error_at(text_, part.place, why("texts"));
    const auto* integers = std::get_if<Integers>(&result);
    if (integers == nullptr) throw error_at(text_, part.place, why("floats"));
    Logicals flags(integers->size());
    for (std::size_t i = 0; i < flags.size(); ++i) {
      if ((*integers)[i] != 0 && (*integers)[i] != 1)
        throw value_error_at(text_, part.place, why(shown((*integers)[i])), begin_ + i);
      flags[i] = static_cast<std::uint8_t>((*integers)[i]);
    }
    return flags;
  }

 private:
  Values values(const Expression& part) const {
    switch (part.operation) {
      case Operation::constant:
        return constant(part);
      case Operation::column:
        return column(part);
      case Operation::negative:
      case Operation::absolute:
        return of_one(part);
      case Operation::add:
      case Operation::subtract:
      case Operation::multiply:
      case Operation::divide:
      case Operation::modulo:
        return of_two(part);
      default:
        return logicals(part);
    }
  }

  Logicals logicals(const Expression& part) const {
    switch (part.operation) {
      case Operation::all:
      case Operation::any:
        return joined(part);
      case Operation::negation:
        return denied(part);
      case Operation::is_nan:
        return is_nan(part);
      case Operation::in:
      case Operation::not_in:
        return membership(part);
      case Operation::written:
        return written(part);
      default:
        return comparison(part);
    }
  }

  // --- leaves

  Values constant(const Expression& part) const {
    if (const auto* logical = std::get_if<bool>(&part.value)) return Logicals(n_, *logical);
    if (const auto* integer = std::get_if<Integer>(&part.value)) return Integers(n_, *integer);
    if (const auto* real = std::get_if<double>(&part.value)) return Reals(n_, *real);
    return Texts{&std::get<std::string>(part.value), 0};
  }

  Values column(const Expression& part) const {
    return std::visit(
        [&](const auto& values) -> Values {
          using Value = typename std::decay_t<decltype(values)>::value_type;
          EXPECTS(begin_ + n_ <= values.size());
          const auto* first = values.data() + begin_;
          if constexpr (std::is_same_v<Value, std::string>)
            return Texts{first, 1};
          else if constexpr (std::is_same_v<Value, double>)
            return Reals(first, first + n_);
          else
            return Integers(first, first + n_);
        },
        columns_[part.column]);
  }

  // --- arithmetic

  /// Of a part that must be numbers, which only its column's values can tell.
  Values numbers(const Expression& part) const {
    auto result = values(part);
    if (is_text(result))
      throw error_at(text_, part.place,
                     "'" + words(text_, part.place) +
                         "' holds texts, and there is nothing to compute "
                         "or to order; compare it with == or != or in");
    return result;
  }

  Values of_one(const Expression& part) const {
    auto result = numbers(*part.parts[0]);
    const bool absolute = part.operation == Operation::absolute;
    if (auto* reals = std::get_if<Reals>(&result))
      for (auto& x : *reals) x = absolute ? std::abs(x) : -x;
    else
      for (auto& x : std::get<Integers>(result))
        if (defined(x) && (!absolute || x < 0)) x = -x;
    return result;
  }

  Values of_two(const Expression& part) const {
    auto left = numbers(*part.parts[0]), right = numbers(*part.parts[1]);
    if (part.operation != Operation::divide && std::holds_alternative<Integers>(left) &&
        std::holds_alternative<Integers>(right))
      return of_integers(part, std::get<Integers>(std::move(left)), std::get<Integers>(right));
    return of_reals(part.operation, to_reals(std::move(left)), to_reals(std::move(right)));
  }

  static Reals of_reals(Operation operation, Reals left, const Reals& right) {
    const auto each = [&](const auto& compute) {
      for (std::size_t i = 0; i < left.size(); ++i) left[i] = compute(left[i], right[i]);
    };
    if (operation == Operation::add) each([](double a, double b) { return a + b; });
    if (operation == Operation::subtract) each([](double a, double b) { return a - b; });
    if (operation == Operation::multiply) each([](double a, double b) { return a * b; });
    if (operation == Operation::divide) each([](double a, double b) { return a / b; });
    if (operation == Operation::modulo) each([](double a, double b) { return modulo(a, b); });
    return left;
  }

  Integers of_integers(const Expression& part, Integers left, const Integers& right) const {
    std::size_t misfit = left.size();
    const auto each = [&](const auto& overflows) {
      for (std::size_t i = 0; i < left.size(); ++i)
        if (!checked(left[i], right[i], left[i], overflows)) misfit = std::min(misfit, i);
    };
    if (part.operation == Operation::add)
      each([](Integer a, Integer b, Integer* r) { return __builtin_add_overflow(a, b, r); });
    if (part.operation == Operation::subtract)
      each([](Integer a, Integer b, Integer* r) { return __builtin_sub_overflow(a, b, r); });
    if (part.operation == Operation::multiply)
      each([](Integer a, Integer b, Integer* r) { return __builtin_mul_overflow(a, b, r); });
    if (part.operation == Operation::modulo)
      for (std::size_t i = 0; i < left.size(); ++i) left[i] = modulo(left[i], right[i]);
    if (misfit < left.size())
      throw value_error_at(text_, part.place,
                           "an integer grows beyond 128 bits here; write 1.0 * " + words(text_, part.parts[0]->place) +
                               " to compute in float64",
                           begin_ + misfit);
    return left;
  }

  // --- logic

  Logicals joined(const Expression& part) const {
    auto result = logical(*part.parts[0]);
    const bool all = part.operation == Operation::all;
    for (std::size_t next = 1; next < part.parts.size(); ++next) {
      const auto more = logical(*part.parts[next]);
      for (std::size_t i = 0; i < n_; ++i)
        result[i] = static_cast<std::uint8_t>(all ? result[i] & more[i] : result[i] | more[i]);
    }
    return result;
  }

  Logicals denied(const Expression& part) const {
    auto result = logical(*part.parts[0]);
    for (auto& x : result) x ^= 1u;
    return result;
  }

  Logicals is_nan(const Expression& part) const {
    const auto reals = to_reals(numbers(*part.parts[0]));
    Logicals result(n_);
    for (std::size_t i = 0; i < n_; ++i) result[i] = static_cast<std::uint8_t>(reals[i] != reals[i]);
    return result;
  }

  Logicals comparison(const Expression& part) const {
    const bool equality = part.operation == Operation::equal || part.operation == Operation::unequal;
    const auto side = [&](const Expression& of) { return to_numbers(equality ? values(of) : numbers(of)); };
    const auto left = side(*part.parts[0]), right = side(*part.parts[1]);
    if (is_text(left) != is_text(right))
      throw error_at(text_, part.place,
                     "'" + words(text_, part.parts[is_text(left) ? 0 : 1]->place) + "' holds texts and '" +
                         words(text_, part.parts[is_text(left) ? 1 : 0]->place) +
                         "' numbers, which are never equal; compare it with " +
                         (part.parts[is_text(left) ? 1 : 0]->operation == Operation::constant ? "a \"text\" in quotes"
                                                                                              : "its own kind"));
    return compare(part.operation, left, right, n_);
  }

  Logicals membership(const Expression& part) const {
    const auto& of = *part.parts[0];
    const auto of_values = to_numbers(values(of));
    if (is_text(of_values) == part.set->texts.empty())
      throw error_at(text_, part.place,
                     "'" + words(text_, of.place) + "' holds " +
                         (is_text(of_values) ? "texts and the list numbers; write the list's entries in "
                                               "quotes"
                                             : "numbers and the list texts; remove the quotes") +
                         " (texts and numbers are never equal)");
    return member(*part.set, part.operation == Operation::not_in, of_values, n_);
  }

  Logicals written(const Expression& part) const {
    const auto& of = *part.parts[0];
    const auto of_values = to_numbers(values(of));
    const auto* no_number = std::get_if<std::string>(&part.value);
    if (no_number != nullptr && !is_text(of_values))
      throw UsageError("class-names: '" + *no_number + "' is no number, and '" + words(text_, of.place) +
                       "' holds numbers; name its values by them (those of an enum, too), or by true and false");
    return member(*part.set, false, of_values, n_);
  }

  std::string_view text_;
  const std::vector<ColumnValues>& columns_;
  std::size_t begin_, n_;
};

}  // namespace

void evaluate(std::string_view text, const Expression& root, const std::vector<ColumnValues>& columns,
              std::size_t begin, std::size_t n, std::uint8_t* keep) {
  const auto logicals = Evaluator(text, columns, begin, n).logical(root);
  std::copy(logicals.begin(), logicals.end(), keep);
}

}  // namespace headrace::condition
