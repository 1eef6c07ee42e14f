#include "condition/condition.hpp"

#include <algorithm>

#include "base/contract.hpp"
#include "condition/evaluator.hpp"
#include "condition/parser.hpp"

namespace headrace::condition {

// Values of a few parts of the tree at a time stay in the cache.
constexpr std::size_t block_size = 1024;

struct Condition::Node {
  condition::ExpressionPointer root;
};

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
