#include "plan/draw.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/contract.hpp"
#include "base/hash.hpp"
#include "plan/wide.hpp"

namespace headrace::plan {

Draw::Draw(std::vector<Cell> cells, std::uint64_t key, Redraw redraw)
    : cells_(std::move(cells)), key_(key), redraw_(redraw) {
  EXPECTS(cells_.size() <= most_cells);
  for (const auto& cell : cells_) {
    EXPECTS(cell.members > 0 && cell.members <= most_members && cell.wanted / cell.members < most_times);
    positions_ += cell.wanted;
  }
}

bool Draw::redrawn() const {
  return redraw_ == Redraw::epoch &&
         std::ranges::any_of(cells_, [](const Cell& cell) { return cell.wanted % cell.members != 0; });
}

/// number * floor(2^64 / members) / 2^32: ascending, and no two alike, as there are at most 2^32 members.
std::uint32_t Draw::place_on_ring(const Cell& cell, std::uint64_t number) const {
  if (cell.members == 1) return 0;
  const auto step = static_cast<std::uint64_t>((Unsigned128{1} << 64) / cell.members);
  return static_cast<std::uint32_t>(number * step >> 32);
}

void Draw::places(std::size_t which, std::uint64_t first, std::span<std::uint32_t> out) const {
  constexpr std::size_t block = 1024;
  std::uint64_t numbers[block];
  const auto& cell = cells_[which];
  const Permutation ring(cell.members, sample_hash(key_ + cell.number));
  const auto step = cell.members == 1 ? 0 : static_cast<std::uint64_t>((Unsigned128{1} << 64) / cell.members);
  for (; !out.empty(); first += block) {
    const auto some = std::span(numbers).first(std::min(block, out.size()));
    ring.evaluate(first, some);
    for (std::size_t i = 0; i < some.size(); ++i) out[i] = static_cast<std::uint32_t>(some[i] * step >> 32);
    out = out.subspan(some.size());
  }
}

std::vector<Draw::Share> Draw::shares(std::uint64_t epoch) const {
  if (redraw_ == Redraw::never) epoch = 0;
  std::vector<Share> all;
  all.reserve(cells_.size() + 1);
  for (const auto& cell : cells_) {
    const auto more = cell.wanted % cell.members;
    const auto first = static_cast<std::uint64_t>(Unsigned128{epoch} * more % cell.members);
    const auto begin = place_on_ring(cell, first);
    // Round the ring's end: differences of 32 bits go round with it.
    const auto end = place_on_ring(cell, (first + more) % cell.members);
    all.push_back({begin, end - begin, static_cast<std::uint32_t>(cell.wanted / cell.members)});
  }
  all.push_back({});
  return all;
}

std::uint64_t draw_key(std::uint64_t seed, std::string_view stream) {
  return epoch_key(seed, std::string(stream) + "/draw", 0);  // no stream is called like that
}

namespace {

/// What places_of() keeps from one stretch of samples to the next.
struct Dealing {
  std::vector<std::uint64_t> rank;    // of the next member of each cell
  std::vector<std::uint32_t> next{};  // in of_cells: where the next place of each cell stands
  std::vector<std::uint32_t> of_cells{};
};

/// Cell by cell, as the members of one are worked out together; then dealt out as samples come: of each cell one place
/// after another, so that whatever their number, lines of the cache are used to their end.
void deal(const Draw& draw, std::span<const std::uint16_t> cells, Dealing& with, std::uint32_t* places) {
  const std::size_t none = draw.no_cell();
  auto& next = with.next;
  std::ranges::fill(next, 0);
  for (const auto cell : cells) ++next[cell];
  std::uint32_t begin = 0;
  for (std::size_t cell = 0; cell < none; ++cell) begin = begin + std::exchange(next[cell], begin);
  auto* const of_cells = with.of_cells.data();
  of_cells[begin] = 0;
  for (std::size_t cell = 0; cell < none; ++cell) {
    const auto count = (cell + 1 < none ? next[cell + 1] : begin) - next[cell];
    if (count == 0) continue;
    draw.places(cell, with.rank[cell], std::span(of_cells + next[cell], count));
    with.rank[cell] += count;
  }
  next[none] = begin;  // where a 0 stands; samples of no cell come in between at random, so there is no branch for them
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto cell = cells[i];
    places[i] = of_cells[next[cell]];
    next[cell] += static_cast<std::uint32_t>(cell != none);
  }
}

}  // namespace

std::vector<std::uint32_t> places_of(const Draw& draw, std::span<const std::uint16_t> cells,
                                     std::span<const std::uint64_t> before) {
  EXPECTS(before.size() == draw.cells().size() && cells.size() <= std::numeric_limits<std::uint32_t>::max());
  // A stretch at a time, so that its places stay in a cache; but with so many samples that a cell has some hundreds of
  // them, as the keys of its ring are made anew.
  constexpr std::size_t least = 1 << 18, samples_a_cell = 256;
  const auto stretch = std::min(cells.size(), std::max(least, samples_a_cell * before.size()));
  Dealing with{{before.begin(), before.end()}};
  with.next.resize(before.size() + 1);
  with.of_cells.resize(stretch + 1);
  std::vector<std::uint32_t> places(cells.size());
  for (std::size_t first = 0; first < cells.size(); first += stretch)
    deal(draw, cells.subspan(first, std::min(stretch, cells.size() - first)), with, places.data() + first);
  return places;
}

}  // namespace headrace::plan
