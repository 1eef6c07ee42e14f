#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "plan/epoch_order.hpp"
#include "plan/node_draw.hpp"

namespace {

using namespace headrace::plan;
using Numbers = std::vector<std::uint64_t>;

/// Samples in cells, and what is wanted of each cell.
struct World {
  std::vector<std::uint16_t> cells;
  std::shared_ptr<const Draw> draw;
};

World world(std::mt19937_64& random, std::size_t samples, Draw::Redraw redraw) {
  const std::size_t kinds = 1 + random() % 12;
  std::vector<std::uint16_t> cells(samples);
  Numbers members(kinds);
  for (auto& cell : cells) {
    cell = static_cast<std::uint16_t>(random() % (kinds + 1));  // the last: of no cell
    if (cell < kinds) ++members[cell];
  }
  std::vector<Draw::Cell> drawn;
  std::vector<std::uint16_t> number(kinds + 1);
  for (std::size_t k = 0; k < kinds; ++k) {
    number[k] = static_cast<std::uint16_t>(drawn.size());
    if (members[k] > 0) drawn.push_back({3 * k, members[k], random() % (3 * members[k] + 1)});
  }
  number[kinds] = static_cast<std::uint16_t>(drawn.size());
  for (auto& cell : cells) cell = number[cell];
  return {std::move(cells), std::make_shared<const Draw>(std::move(drawn), random(), redraw)};
}

/// The node that holds all slabs, cut at `cuts`.
NodeDraw cut(const World& world, Numbers cuts) {
  NodeDraw node{world.draw, 0};
  Numbers before(world.draw->cells().size());
  cuts.push_back(world.cells.size());
  std::uint64_t first = 0;
  for (const auto last : cuts) {
    const auto from = world.cells.begin() + static_cast<std::ptrdiff_t>(first);
    DrawnSlab slab{{first, last}, {from, from + static_cast<std::ptrdiff_t>(last - first)}, {}};
    slab.places = places_of(*world.draw, slab.cells, before);
    for (const auto cell : slab.cells)
      if (cell != world.draw->no_cell()) ++before[cell];
    node.slabs.push_back(std::make_shared<const DrawnSlab>(std::move(slab)));
    first = last;
  }
  return node;
}

Numbers counts_of(const NodeDraw& node, std::uint64_t epoch) {
  Numbers counts;
  const auto drawn = node.epoch(epoch);
  for (const auto& slab : *drawn)
    for (auto sample = slab.slab().first; sample < slab.slab().last; ++sample) counts.push_back(slab.count(sample));
  return counts;
}

std::string text_of(const Numbers& numbers) {
  std::string text;
  for (const auto number : numbers) text += std::to_string(number) + " ";
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(draw)

BOOST_AUTO_TEST_CASE(each_epoch_brings_what_is_wanted_of_each_cell) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 60; ++round) {
    const auto made = world(random, 1 + random() % 700, Draw::Redraw::epoch);
    const auto& draw = *made.draw;
    const auto node = cut(made, {});
    Numbers so_far(made.cells.size());
    for (std::uint64_t epoch = 0; epoch < 7; ++epoch) {
      const auto counts = counts_of(node, epoch);
      Numbers sums(draw.cells().size() + 1);
      for (std::size_t i = 0; i < counts.size(); ++i) {
        sums[made.cells[i]] += counts[i];
        so_far[i] += counts[i];
        if (made.cells[i] == draw.no_cell()) continue;
        const auto& cell = draw.cells()[made.cells[i]];
        BOOST_TEST(
            (counts[i] == cell.wanted / cell.members || counts[i] == (cell.wanted + cell.members - 1) / cell.members));
      }
      BOOST_TEST(sums.back() == 0u);
      for (std::size_t cell = 0; cell < draw.cells().size(); ++cell)
        BOOST_TEST(sums[cell] == draw.cells()[cell].wanted);
      // Over the epochs so far no member of a cell is ahead of another by more than one.
      std::map<std::uint16_t, std::pair<std::uint64_t, std::uint64_t>> ends;
      for (std::size_t i = 0; i < so_far.size(); ++i) {
        auto [at, fresh] = ends.try_emplace(made.cells[i], so_far[i], so_far[i]);
        at->second = {std::min(at->second.first, so_far[i]), std::max(at->second.second, so_far[i])};
      }
      for (const auto& [cell, end] : ends) BOOST_TEST(end.second - end.first <= 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(slabs_change_nothing) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 40; ++round) {
    const auto samples = 1 + random() % 900;
    const auto made = world(random, samples, random() % 2 ? Draw::Redraw::epoch : Draw::Redraw::never);
    const auto epoch = random() % 5 == 0 ? std::uint64_t{1} << 62 : random() % 9;
    const auto whole = counts_of(cut(made, {}), epoch);
    Numbers cuts(random() % 4);
    for (auto& at : cuts) at = random() % (samples + 1);
    std::ranges::sort(cuts);
    BOOST_TEST((counts_of(cut(made, cuts), epoch) == whole));
  }
}

BOOST_AUTO_TEST_CASE(never_means_that_all_epochs_are_the_first) {
  std::mt19937_64 random(6);
  const auto made = world(random, 500, Draw::Redraw::never);
  BOOST_TEST(!made.draw->redrawn());
  const Draw same(made.draw->cells(), 17, Draw::Redraw::epoch);
  BOOST_TEST(same.redrawn());
  const auto node = cut(made, {200});
  BOOST_TEST((counts_of(node, 0) == counts_of(node, 5)));
  BOOST_TEST(!Draw({{0, 5, 10}, {1, 3, 0}}, 1, Draw::Redraw::epoch).redrawn());  // nothing is left to chance
}

BOOST_AUTO_TEST_CASE(a_multiset_finds_its_copies) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 60; ++round) {
    const auto made = world(random, 1 + random() % 500, Draw::Redraw::epoch);
    const auto drawn = cut(made, {made.cells.size() / 3}).epoch(random() % 5);
    for (const auto& slab : *drawn) {
      Numbers copies;
      for (auto sample = slab.slab().first; sample < slab.slab().last; ++sample) {
        BOOST_TEST(slab.below(sample) == copies.size());
        copies.insert(copies.end(), slab.count(sample), sample);
      }
      BOOST_TEST(slab.size() == copies.size());
      BOOST_TEST(slab.below(slab.slab().last) == copies.size());
      BOOST_TEST(slab.count(slab.slab().last) == 0u);
      Numbers ordinals;
      for (std::uint64_t k = 0; k < copies.size(); ++k)
        for (auto n = random() % 3; n > 0; --n) ordinals.push_back(1000 + k);
      std::vector<std::int64_t> found(ordinals.size());
      slab.samples(ordinals, 1000, found);
      for (std::size_t i = 0; i < found.size(); ++i)
        BOOST_TEST(static_cast<std::uint64_t>(found[i]) == copies[ordinals[i] - 1000]);
    }
  }
}

BOOST_AUTO_TEST_CASE(instruction_sets_draw_alike) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 40; ++round) {
    const auto made = world(random, 1 + random() % 3000, Draw::Redraw::epoch);
    const auto node = cut(made, {});
    const auto shares = made.draw->shares(random() % 5);
    auto with_bases = std::make_shared<DrawnSlab>(*node.slabs[0]);
    with_bases->bases = base_sums(shares, with_bases->cells);
    const Multiset plain(node.slabs[0], shares, Isa::any);
    for (const auto isa : {Isa::any, Isa::avx2, Isa::avx512}) {
      if (!supported(isa)) continue;
      for (const auto& slab : {node.slabs[0], std::shared_ptr<const DrawnSlab>(with_bases)}) {
        const Multiset drawn(slab, shares, isa);
        BOOST_TEST(drawn.size() == plain.size());
        for (std::uint64_t i = 0; i < made.cells.size(); ++i)
          BOOST_TEST((drawn.count(i) == plain.count(i) && drawn.below(i) == plain.below(i)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(places_do_not_depend_on_how_many_are_worked_out_at_once) {
  std::mt19937_64 random(10);
  const auto made = world(random, 600'000, Draw::Redraw::epoch);  // more than one stretch
  const std::span<const std::uint16_t> cells = made.cells;
  Numbers before(made.draw->cells().size());
  const auto whole = places_of(*made.draw, cells, before);
  for (std::size_t first = 0; first < cells.size(); first += 70'000) {
    const auto some = cells.subspan(first, std::min<std::size_t>(70'000, cells.size() - first));
    const auto places = places_of(*made.draw, some, before);
    BOOST_TEST(std::equal(places.begin(), places.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)));
    for (const auto cell : some)
      if (cell != made.draw->no_cell()) ++before[cell];
  }
}

BOOST_AUTO_TEST_CASE(members_of_all_stagers_are_numbered_through) {
  std::mt19937_64 random(8);
  const auto made = world(random, 300, Draw::Redraw::epoch);
  const auto node = cut(made, {100, 220});
  const auto drawn = node.epoch(3);
  Numbers rows, copies;
  for (const auto& slab : *drawn) rows.push_back(slab.size());
  const auto counts = counts_of(node, 3);
  for (std::size_t i = 0; i < counts.size(); ++i) copies.insert(copies.end(), counts[i], i);
  const auto strata = node.strata(drawn, rows);
  BOOST_TEST(strata.size() == made.draw->positions());
  BOOST_TEST(!strata.known_to_all());
  const auto& members = strata.sets()[0];
  for (std::uint32_t stager = 0; stager < 3; ++stager) {
    const auto first = members.first_ordinals()[stager], last = members.first_ordinals()[stager + 1];
    Numbers ordinals(last - first);
    std::iota(ordinals.begin(), ordinals.end(), first);
    std::vector<std::int64_t> found(ordinals.size());
    members.samples(stager, ordinals, found);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto sample = static_cast<std::uint64_t>(found[i]);
      BOOST_TEST(sample == copies[first + i]);
      BOOST_TEST(members.contains(stager, sample));
      BOOST_TEST(members.copies(stager, sample) == counts[sample]);
      BOOST_TEST((members.ordinal(stager, sample) <= first + i &&
                  first + i < members.ordinal(stager, sample) + counts[sample]));
    }
  }
}

BOOST_AUTO_TEST_CASE(cells_of_many_members) {
  const Draw draw({{0, Draw::most_members, 5}, {1, Draw::most_members, Draw::most_members + 1}}, 3,
                  Draw::Redraw::epoch);
  std::vector<std::uint32_t> places(1 << 16);
  draw.places(0, Draw::most_members - places.size(), places);
  BOOST_TEST(std::set<std::uint32_t>(places.begin(), places.end()).size() == places.size());
  for (const auto epoch : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
    BOOST_TEST(draw.shares(epoch)[0].length == 5u);
    BOOST_TEST(draw.shares(epoch)[1].base == 1u);
  }
}

BOOST_AUTO_TEST_CASE(recorded_draws) {  // also in ORDER.md; they may never change
  const World made{{0, 1, 0, 0, 1, 0, 0, 1, 0, 0},
                   std::make_shared<const Draw>(std::vector<Draw::Cell>{{0, 7, 3}, {1, 3, 5}}, draw_key(42, "train"),
                                                Draw::Redraw::epoch)};
  const auto node = cut(made, {4});
  BOOST_TEST(text_of(counts_of(node, 0)) == "0 1 0 0 2 1 1 2 1 0 ");
  BOOST_TEST(text_of(counts_of(node, 1)) == "1 2 1 1 2 0 0 1 0 0 ");
  BOOST_TEST(text_of(counts_of(node, 2)) == "0 2 0 0 1 1 1 2 0 1 ");
  const auto drawn = node.epoch(1);
  const auto strata = node.strata(drawn, Numbers{(*drawn)[0].size(), (*drawn)[1].size()});
  Numbers ordinals(8), samples;
  EpochOrder(8, epoch_key(42, "train", 1)).evaluate(0, ordinals);
  for (const auto ordinal : ordinals) {
    const auto stager = ordinal < (*drawn)[0].size() ? 0u : 1u;
    std::int64_t sample = 0;
    strata.sets()[0].samples(stager, {&ordinal, 1}, {&sample, 1});
    samples.push_back(static_cast<std::uint64_t>(sample));
  }
  BOOST_TEST(text_of(samples) == "0 3 1 2 7 1 4 4 ");
}

BOOST_AUTO_TEST_SUITE_END()
