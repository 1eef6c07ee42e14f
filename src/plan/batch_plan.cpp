#include "plan/batch_plan.hpp"

#include <algorithm>
#include <numeric>

#include "base/contract.hpp"
#include "plan/gallop.hpp"
#include "plan/radix_sort.hpp"

namespace headrace::plan {

namespace {

/// Ordinals of positions first, first + 1, ...
void follow(std::uint64_t first, const EpochOrder* order, std::span<std::uint64_t> out) {
  if (order)
    order->evaluate(first, out);
  else
    std::iota(out.begin(), out.end(), first);
}

/// Ordinals of padding: numbers first, first + 1, ... (mod n) of what is repeated, round and round.
void pad(std::uint64_t first, std::uint64_t n, const EpochOrder* order, std::span<std::uint64_t> out) {
  const auto repeated = order ? order->repeated() : EpochOrder::Repeated{0, n};
  for (first %= n; !out.empty(); first = 0)
    while (!out.empty() && first < n) {
      const auto number = first % repeated.count;
      const auto run = out.first(std::min({out.size(), n - first, repeated.count - number}));
      follow(repeated.first + number, order, run);
      first += run.size();
      out = out.subspan(run.size());
    }
}

/// Appends the pieces of the rows from first_row on, whose ordinals ascend.
void cut(std::span<const std::uint64_t> ordinals, std::size_t first_row, std::span<const std::uint64_t> first_ordinal,
         std::vector<Piece>& pieces) {
  std::size_t run = 0;
  for (std::size_t row = 0; row < ordinals.size();) {
    // The run that holds the row is the last whose first ordinal is not above: empty ones in front are passed.
    run = gallop(first_ordinal, run, ordinals[row] + 1) - 1;
    const auto next = gallop(ordinals, row, first_ordinal[run + 1]);
    pieces.push_back({static_cast<std::uint32_t>(run), static_cast<std::uint32_t>(first_row + row),
                      static_cast<std::uint32_t>(next - row)});
    row = next;
  }
}

}  // namespace

void BatchPlanner::sort(std::size_t first_row, std::span<std::uint64_t> rows, std::uint64_t limit, bool drawn) {
  if (!drawn) return radix_sort(rows, limit, scratch_);
  sorting_order(rows, order_);
  scratch_.assign(rows.begin(), rows.end());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = scratch_[order_[i]];
    plan_.drawn.push_back(static_cast<std::uint32_t>(first_row + order_[i]));
  }
}

const BatchPlan& BatchPlanner::operator()(const Share& share, const EpochOrder* order,
                                          std::span<const std::uint64_t> first_ordinal, bool drawn) {
  EXPECTS(!first_ordinal.empty());
  const std::uint64_t members = first_ordinal.back(), n = order ? order->size() : members;
  EXPECTS(share.first + share.rows <= n && (share.padding == 0 || n > 0));
  plan_.ordinals.resize(std::size_t{share.rows} + share.padding);
  plan_.pieces.clear();
  plan_.drawn.clear();
  const auto real = std::span(plan_.ordinals).first(share.rows),
             padding = std::span(plan_.ordinals).subspan(share.rows);
  follow(share.first, order, real);
  if (order) sort(0, real, members, drawn);
  cut(real, 0, first_ordinal, plan_.pieces);
  if (!padding.empty()) {
    pad(share.padding_first, n, order, padding);
    sort(share.rows, padding, members, drawn && order != nullptr);
    cut(padding, share.rows, first_ordinal, plan_.pieces);
  }
  return plan_;
}

}  // namespace headrace::plan
