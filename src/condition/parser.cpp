#include "condition/parser.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "condition/constant.hpp"
#include "condition/rules.hpp"

namespace headrace::condition {
namespace {

using Kind = Token::Kind;

constexpr const char* values_hint = "a column, a number, a \"text\" or '(' can stand here";
constexpr const char* operators_hint = "an operator (== != < <= > >= in + - * / % && ||) can stand here";

constexpr std::size_t most_letters = 20;  // of a name that may be meant for one of our words, which are short

struct Sign {
  std::string_view sign;
  Operation operation;
};
constexpr std::array comparisons{Sign{"==", Operation::equal},  Sign{"!=", Operation::unequal},
                                 Sign{"<", Operation::less},    Sign{"<=", Operation::less_equal},
                                 Sign{">", Operation::greater}, Sign{">=", Operation::greater_equal}};
constexpr std::array sums{Sign{"+", Operation::add}, Sign{"-", Operation::subtract}};
constexpr std::array products{Sign{"*", Operation::multiply}, Sign{"/", Operation::divide},
                              Sign{"%", Operation::modulo}};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(tokens(text)) {}

  Parsed whole() {
    if (now().kind == Kind::end)
      throw wrong(now().place, "there is none; write one as in jets.pt > 20e3 && abs(jets.eta) < 2.5");
    auto root = any();
    if (now().kind != Kind::end) throw unexpected();
    need_logical(text_, *root);
    return {std::move(root), std::move(columns_)};
  }

 private:
  /// Counts how deep the parser stands in itself: the text decides that.
  class Depth {
   public:
    explicit Depth(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > max_height) throw parser_.too_deep(parser_.now().place);
    }
    ~Depth() { --parser_.depth_; }
    Depth(const Depth&) = delete;

   private:
    Parser& parser_;
  };

  // --- logic

  ExpressionPointer any() {
    return joined(Operation::any, "||", "or", [this] { return all(); });
  }
  ExpressionPointer all() {
    return joined(Operation::all, "&&", "and", [this] { return negation(); });
  }

  template <class Next>
  ExpressionPointer joined(Operation operation, std::string_view sign, std::string_view word, const Next& next) {
    auto first = next();
    if (!now().is_sign(sign) && !now().is_word(word)) return first;
    std::vector<ExpressionPointer> parts{std::move(first)};
    while (now().is_sign(sign) || now().is_word(word)) {
      need_logical(text_, *parts.back());
      ++at_;
      parts.push_back(next());
    }
    need_logical(text_, *parts.back());
    return make({operation, Worth::logical, around(parts), std::move(parts)});
  }

  ExpressionPointer negation() {
    if (!now().is_sign("!") && !now().is_word("not")) return comparison();
    const Depth depth(*this);
    const auto begin = take().place;
    auto part = negation();
    need_logical(text_, *part);
    return make({Operation::negation, Worth::logical, span(begin, part->place), {part}});
  }

  // --- comparisons

  /// a < b < c is a < b && b < c.
  ExpressionPointer comparison() {
    std::vector<ExpressionPointer> links;
    auto left = sum();
    if (now().is_word("in") || (now().is_word("not") && ahead().is_word("in"))) return membership(std::move(left));
    while (const auto* sign = one_of(comparisons)) {
      const auto place = take().place;
      auto right = sum();
      need_comparable(text_, *left, *right, sign->operation, place);
      links.push_back(make({sign->operation, Worth::logical, span(left->place, right->place), {left, right}}));
      left = std::move(right);
    }
    if (links.empty()) return left;
    if (links.size() == 1) return links[0];
    return make({Operation::all, Worth::logical, around(links), links});
  }

  ExpressionPointer membership(ExpressionPointer left) {
    const bool negated = take().is_word("not");
    if (negated) take();  // in
    if (!now().is_sign("(")) throw wrong(now().place, "'in' needs a list in parentheses, as in (0, 4, 5)");
    const auto open = take().place;
    auto set = std::make_shared<Set>();
    for (;;) {
      member(*set);
      const auto& after = take();
      const bool last = after.is_sign(",") && now().is_sign(")");  // (5,) as in Python
      if (last) take();
      if (last || after.is_sign(")")) break;
      if (!after.is_sign(",")) throw wrong(after.place, "the list is not closed; ',' or ')' can stand here");
    }
    finish(*set);
    const auto list = span(open, tokens_[at_ - 1].place);
    need_one_kind(text_, *left, *set, list);
    Expression result{negated ? Operation::not_in : Operation::in, Worth::logical, span(left->place, list), {left}};
    result.set = std::move(set);
    return make(std::move(result));
  }

  /// One constant of a list, with its sign.
  void member(Set& set) {
    const auto& first = now();
    const bool negative = first.is_sign("-");
    if (negative || first.is_sign("+")) ++at_;
    auto value = constant(text_, now());
    const bool number = value && (std::holds_alternative<Integer>(*value) || std::holds_alternative<double>(*value));
    if (!value || (first.kind == Kind::sign && !number))
      throw wrong(now().place, "lists hold constants; a number or a \"text\" can stand here");
    if (negative && std::holds_alternative<Integer>(*value)) value = -std::get<Integer>(*value);
    if (negative && std::holds_alternative<double>(*value)) value = -std::get<double>(*value);
    if (!insert(set, *value))
      throw wrong(now().place, "texts and numbers stand in one list (only one kind can be meant); write two lists");
    ++at_;
  }

  // --- arithmetic

  ExpressionPointer sum() {
    return chain(sums, [this] { return product(); });
  }
  ExpressionPointer product() {
    return chain(products, [this] { return signed_value(); });
  }

  template <class Signs, class Next>
  ExpressionPointer chain(const Signs& signs, const Next& next) {
    auto left = next();
    while (const auto* sign = one_of(signs)) {
      need_number(text_, *left);
      ++at_;
      auto right = next();
      need_number(text_, *right);
      const auto place = span(left->place, right->place);
      left = make({sign->operation, Worth::number, place, {left, right}});
    }
    return left;
  }

  ExpressionPointer signed_value() {
    if (!now().is_sign("-") && !now().is_sign("+")) return value();
    const Depth depth(*this);
    const auto sign = take();
    auto part = signed_value();
    need_number(text_, *part);
    if (sign.is_sign("+")) return part;
    return make({Operation::negative, Worth::number, span(sign.place, part->place), {part}});
  }

  ExpressionPointer value() {
    const auto& token = now();
    if (auto known = constant(text_, token)) {
      ++at_;
      constexpr std::array worths{Worth::logical, Worth::number, Worth::number, Worth::text};
      Expression result{Operation::constant, worths[known->index()], token.place};
      result.value = std::move(*known);
      return make(std::move(result));
    }
    if (token.is_sign("(")) return parentheses();
    if (token.kind == Kind::name && !is_operator(token))
      return token.quoted || !ahead().is_sign("(") ? column() : call();
    if (token.kind == Kind::end) throw wrong(token.place, std::string("the end comes too soon; ") + values_hint);
    const bool logic = token.is_sign("!") || token.is_word("not");
    throw wrong(token.place, "'" + token.value + "' cannot stand here; " +
                                 (logic ? "put what it denies in parentheses, as in (!(x > 1))" : values_hint));
  }

  ExpressionPointer parentheses() {
    const Depth depth(*this);
    const auto open = take().place;
    auto inner = any();
    if (!now().is_sign(")")) {
      if (now().kind != Kind::end) throw unexpected();
      throw wrong(open, "'(' is never closed; write ')' where it ends");
    }
    Expression whole = *inner;  // the same, but for its place
    whole.place = span(open, take().place);
    return make(std::move(whole));
  }

  ExpressionPointer call() {
    const auto name = take();
    const bool absolute = name.value == "abs";
    if (!absolute && name.value != "isnan")
      throw wrong(name.place, "there is no function '" + words(text_, name.place) + "'" +
                                  did_you_mean(name.value.substr(0, most_letters), {"abs", "isnan"}));
    auto part = parentheses();
    need_number(text_, *part);
    const auto place = span(name.place, tokens_[at_ - 1].place);
    return absolute ? make({Operation::absolute, Worth::number, place, {part}})
                    : make({Operation::is_nan, Worth::logical, place, {part}});
  }

  ExpressionPointer column() {
    const auto& token = take();
    const auto [at, fresh] = places_.emplace(token.value, columns_.size());
    if (fresh) columns_.push_back(token.value);
    Expression result{Operation::column, Worth::column, token.place};
    result.column = at->second;
    return make(std::move(result));
  }

  // --- what is wrong

  UsageError wrong(Place place, const std::string& what) const { return error_at(text_, place, what); }

  UsageError too_deep(Place place) const {
    return wrong(place, "this is nested too deeply (more than " + std::to_string(max_height) +
                            " levels); write it in a simpler way (a list of values: in (1, 2, 3))");
  }

  UsageError unexpected() const {
    const auto& token = now();
    auto what = "'" + words(text_, token.place) + "' cannot stand here; ";
    if (token.is_sign(")")) return wrong(token.place, what + "no '(' is open");
    if (token.is_sign(",")) return wrong(token.place, what + "lists follow 'in', as in x in (0, 4, 5)");
    if (token.is_word("in") || one_of(comparisons))
      return wrong(token.place, what + "put the comparison before it in parentheses, or join two with &&");
    if (token.is_word("not")) return wrong(token.place, what + "'in' follows it, as in x not in (0, 4, 5)");
    what += operators_hint;
    if (token.kind == Kind::name)
      if (const auto meant = nearest(lower(token.value), {"and", "or", "in"}); !meant.empty())
        what += "; did you mean '" + meant + "'?";
    return wrong(token.place, what);
  }

  static std::string lower(const std::string& name) {
    auto result = name.substr(0, most_letters);
    for (auto& c : result)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
  }

  static bool is_operator(const Token& token) {
    return token.is_word("and") || token.is_word("or") || token.is_word("not") || token.is_word("in");
  }

  // --- tokens and trees

  const Token& now() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& take() {
    const auto& token = tokens_[at_];
    if (token.kind != Kind::end) ++at_;
    return token;
  }

  template <class Signs>
  const Sign* one_of(const Signs& signs) const {
    for (const auto& sign : signs)
      if (now().is_sign(sign.sign)) return &sign;
    return nullptr;
  }

  static Place around(const std::vector<ExpressionPointer>& parts) {
    return span(parts.front()->place, parts.back()->place);
  }

  ExpressionPointer make(Expression expression) const {
    for (const auto& part : expression.parts) expression.height = std::max(expression.height, part->height + 1);
    if (expression.height > max_height) throw too_deep(expression.place);
    return std::make_shared<const Expression>(std::move(expression));
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0, depth_ = 0;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

Parsed parse(std::string_view text) {
  return Parser(text).whole();
}

}  // namespace headrace::condition
