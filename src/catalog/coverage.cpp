#include "catalog/coverage.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace headrace::catalog {

namespace {

using Dims = std::vector<std::uint64_t>;
using Slabs = std::vector<const h5::Slab*>;

constexpr std::uint64_t most_blocks = std::uint64_t{1} << 22;  // along one axis, that are looked at one by one

bool in_one_piece(const h5::Slab& slab, std::size_t axis) {
  return slab.count[axis] == 1 || slab.stride[axis] <= slab.block[axis];
}

std::uint64_t blocks_of(const h5::Slab& slab, std::size_t axis) {
  return in_one_piece(slab, axis) ? 1 : slab.count[axis];
}

/// The b-th run of indices along an axis, as far as the extent goes.
RowRun run_of(const h5::Slab& slab, std::size_t axis, std::uint64_t b, std::uint64_t extent) {
  const auto first = slab.start[axis] + b * slab.stride[axis];
  const auto length =
      in_one_piece(slab, axis) ? (slab.count[axis] - 1) * slab.stride[axis] + slab.block[axis] : slab.block[axis];
  return {std::min(first, extent), std::min(first + length, extent)};
}

bool is_whole_from(const h5::Slab& slab, const Dims& dims, std::size_t axis) {
  for (; axis < dims.size(); ++axis)
    if (!in_one_piece(slab, axis) || run_of(slab, axis, 0, dims[axis]) != RowRun{0, dims[axis]}) return false;
  return true;
}

/// f(run, the slabs that touch all of it), along one axis from its beginning to its end.
void sweep(const Slabs& slabs, std::size_t axis, std::uint64_t extent,
           const std::function<void(RowRun, const Slabs&)>& f) {
  std::map<std::uint64_t, std::vector<std::pair<const h5::Slab*, int>>> edges;
  edges[0];
  for (const auto* slab : slabs)
    for (std::uint64_t b = 0; b < blocks_of(*slab, axis); ++b) {
      const auto run = run_of(*slab, axis, b, extent);
      if (run.first == run.last) continue;
      edges[run.first].emplace_back(slab, +1);
      edges[run.last].emplace_back(slab, -1);
    }
  std::map<const h5::Slab*, int> open;  // blocks of one slab may overlap
  for (auto edge = edges.begin(); edge != edges.end() && edge->first < extent; ++edge) {
    for (const auto& [slab, change] : edge->second)
      if ((open[slab] += change) == 0) open.erase(slab);
    const auto next = std::next(edge);
    Slabs touching;
    for (const auto& entry : open) touching.push_back(entry.first);
    f({edge->first, next == edges.end() ? extent : next->first}, touching);
  }
}

/// Whether the slabs together fill all axes from this one on.
bool fill(const Slabs& slabs, const Dims& dims, std::size_t axis) {
  for (const auto* slab : slabs)
    if (is_whole_from(*slab, dims, axis)) return true;
  if (slabs.empty() || axis == dims.size()) return !slabs.empty();
  bool all = true;
  sweep(slabs, axis, dims[axis], [&](RowRun, const Slabs& touching) { all = all && fill(touching, dims, axis + 1); });
  return all;
}

std::vector<RowRun> rows_between(const std::vector<RowRun>& covered, std::uint64_t rows) {
  std::vector<RowRun> gaps;
  std::uint64_t at = 0;
  for (const auto& run : covered) {
    if (at < run.first) gaps.push_back({at, run.first});
    at = run.last;
  }
  if (at < rows) gaps.push_back({at, rows});
  return gaps;
}

void append_rows(const h5::Slab& slab, const Dims& dims, std::vector<RowRun>& runs) {
  const auto blocks = blocks_of(slab, 0);
  if (blocks > most_blocks) {  // nobody reads a list of so many
    runs.push_back({slab.start[0], run_of(slab, 0, blocks - 1, dims[0]).last});
    return;
  }
  for (std::uint64_t b = 0; b < blocks; ++b)
    if (const auto run = run_of(slab, 0, b, dims[0]); run.first < run.last) runs.push_back(run);
}

}  // namespace

std::vector<RowRun> joined(std::vector<RowRun> runs) {
  std::sort(runs.begin(), runs.end(), [](const RowRun& a, const RowRun& b) { return a.first < b.first; });
  std::vector<RowRun> result;
  for (const auto& run : runs)
    if (run.first == run.last)
      continue;
    else if (!result.empty() && run.first <= result.back().last)
      result.back().last = std::max(result.back().last, run.last);
    else
      result.push_back(run);
  return result;
}

std::uint64_t count_rows(const std::vector<RowRun>& runs) {
  std::uint64_t rows = 0;
  for (const auto& run : runs) rows += run.last - run.first;
  return rows;
}

std::vector<RowRun> rows_of(const h5::VirtualPart& part, const Dims& dims) {
  std::vector<RowRun> runs;
  for (const auto& slab : part.to) append_rows(slab, dims, runs);
  return joined(std::move(runs));
}

std::vector<RowRun> uncovered(const std::vector<h5::VirtualPart>& parts, const Dims& dims) {
  Slabs slabs;
  std::uint64_t blocks = 0, points = 0, all = 1;
  bool whole_rows = true;
  for (const auto& part : parts) {
    points += part.points();
    for (const auto& slab : part.to) {
      slabs.push_back(&slab);
      blocks += blocks_of(slab, 0);
      whole_rows = whole_rows && is_whole_from(slab, dims, 1);
    }
  }
  for (const auto extent : dims) all *= extent;
  // Of so many pieces the count must do, which is right unless they overlap.
  if (blocks > most_blocks) return points >= all ? std::vector<RowRun>() : std::vector<RowRun>{{0, dims[0]}};
  std::vector<RowRun> covered;
  if (whole_rows) {
    for (const auto* slab : slabs) append_rows(*slab, dims, covered);
  } else {
    Slabs before;
    bool filled = false;
    sweep(slabs, 0, dims[0], [&](RowRun run, const Slabs& touching) {
      if (touching != before) filled = fill(touching, dims, 1);
      before = touching;
      if (filled) covered.push_back(run);
    });
  }
  return rows_between(joined(std::move(covered)), dims[0]);
}

}  // namespace headrace::catalog
