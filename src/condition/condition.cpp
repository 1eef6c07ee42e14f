#include "condition/condition.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/contract.hpp"
#include "condition/constant.hpp"
#include "condition/evaluator.hpp"
#include "condition/parser.hpp"

namespace headrace::condition {

// Values of a few parts of the tree at a time stay in the cache.
constexpr std::size_t block_size = 1024;

struct Condition::Node {
  condition::ExpressionPointer root;
};

namespace {

std::optional<Constant> number_in(std::string_view value) {
  if (value == "true" || value == "True") return Integer{1};
  if (value == "false" || value == "False") return Integer{0};
  if (value.size() > 1 && value[0] == '+' && value[1] != '-') value.remove_prefix(1);
  const auto* end = value.data() + value.size();
  const auto read = [&](auto& number) {
    const auto [rest, status] = std::from_chars(value.data(), end, number);
    return status == std::errc{} && rest == end;
  };
  std::int64_t whole = 0;
  if (read(whole)) return Integer{whole};
  std::uint64_t beyond_signed = 0;
  if (read(beyond_signed)) return Integer{beyond_signed};
  double real = 0;
  return read(real) ? std::optional<Constant>(real) : std::nullopt;
}

}  // namespace

Condition Condition::of_values(std::string_view column, const std::vector<std::string>& values) {
  auto parsed = condition::parse(std::string(column) + " == 0");
  if (parsed.root->operation != Operation::equal)
    throw UsageError("'" + std::string(column) + "' is no column; name one, as in jets.flavour");
  Expression root{Operation::written, Worth::logical, parsed.root->parts[0]->place, {parsed.root->parts[0]}};
  auto numbers = std::make_shared<Set>();
  for (const auto& value : values) {
    if (const auto number = number_in(value))
      insert(*numbers, *number);
    else if (!std::holds_alternative<std::string>(root.value))
      root.value = value;
  }
  numbers->texts = values;
  finish(*numbers);
  root.set = std::move(numbers);
  root.height = root.parts[0]->height + 1;
  Condition result;
  result.text_ = column;
  result.columns_ = std::move(parsed.columns);
  result.root_ = std::make_shared<const Node>(Node{std::make_shared<const Expression>(std::move(root))});
  return result;
}

Condition Condition::parse(std::string_view text) {
  auto parsed = condition::parse(text);
  Condition result;
  result.text_ = text;
  result.columns_ = std::move(parsed.columns);
  result.root_ = std::make_shared<const Node>(Node{std::move(parsed.root)});
  return result;
}

void Condition::evaluate(const std::vector<ColumnValues>& values, std::vector<std::uint8_t>& keep) const {
  EXPECTS(root_ && values.size() == columns_.size());
  if (!values.empty()) keep.resize(std::visit([](const auto& column) { return column.size(); }, values.front()));
  std::size_t begin = 0;
  do {  // once even without samples: kinds that do not fit are an error in any case
    const auto n = std::min(block_size, keep.size() - begin);
    condition::evaluate(text_, *root_->root, values, begin, n, keep.data() + begin);
    begin += n;
  } while (begin < keep.size());
}

}  // namespace headrace::condition
