#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "plan/placement.hpp"

namespace {

using namespace headrace::plan;

/// Members as plain lists, per slab.
struct Model {
  std::vector<Slab> slabs;
  std::vector<std::vector<std::uint64_t>> members;

  Members members_known(std::uint32_t first_here, std::uint32_t here, SampleSet::Ask ask) const {
    std::vector<std::uint64_t> counts;
    for (const auto& list : members) counts.push_back(list.size());
    std::vector<SampleSet> sets;
    for (auto s = first_here; s < first_here + here; ++s) {
      std::vector<std::uint64_t> words((slabs[s].last - slabs[s].first + 63) / 64);
      for (const auto sample : members[s]) {
        const auto bit = sample - slabs[s].first;
        words[bit / 64] |= std::uint64_t{1} << bit % 64;
      }
      sets.emplace_back(slabs[s], words, ask);
    }
    return {counts, first_here, std::move(sets)};
  }
};

Model random_model(std::mt19937_64& random) {
  Model model;
  std::uint64_t first = random() % 2 * 1000;
  const double density = std::vector<double>{0, 0.0001, 0.01, 0.5, 0.99, 1}[random() % 6];
  for (auto s = 1 + random() % 4; s-- > 0;) {
    const auto last = first + (random() % 16 == 0 ? 200'000 : random() % 1500);  // of several blocks, or of one
    model.slabs.push_back({first, last});
    auto& list = model.members.emplace_back();
    for (auto sample = first; sample < last; ++sample)
      if (std::uniform_real_distribution<>()(random) < density) list.push_back(sample);
    first = last;
  }
  return model;
}

SampleSet::Ask ask_of(int round) {
  return round % 2 == 0 ? SampleSet::Ask::ranks : SampleSet::Ask::members;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(members)

BOOST_AUTO_TEST_CASE(members_that_are_neighbours_all) {
  for (const auto ask : {SampleSet::Ask::ranks, SampleSet::Ask::members})
    for (const std::uint64_t first : {0u, 1u, 63u, 64u, 65'500u, 70'000u})
      for (const std::uint64_t size : {1u, 64u, 1000u, 100'000u}) {
        constexpr std::uint64_t slab_first = 500, slab_size = 180'000;
        std::vector<std::uint64_t> words((slab_size + 63) / 64);
        for (auto bit = first; bit < first + size; ++bit) words[bit / 64] |= std::uint64_t{1} << bit % 64;
        const SampleSet set({slab_first, slab_first + slab_size}, words, ask);
        const std::vector<std::uint64_t> ordinals{9, 9 + size / 2, 9 + size - 1};
        std::vector<std::int64_t> samples(3), expected;
        for (const auto ordinal : ordinals)
          expected.push_back(static_cast<std::int64_t>(slab_first + first + ordinal - 9));
        set.samples(ordinals, 9, samples);
        BOOST_TEST((samples == expected));
      }
}

BOOST_AUTO_TEST_CASE(sets_agree_with_lists) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    const auto model = random_model(random);
    const auto members = model.members_known(0, static_cast<std::uint32_t>(model.slabs.size()), ask_of(round));
    std::uint64_t ordinal = 0;
    bool good = true;
    for (std::uint32_t s = 0; s < model.slabs.size(); ++s) {
      const auto& list = model.members[s];
      good = good && members.first_ordinals()[s] == ordinal;
      std::vector<std::uint64_t> ordinals;
      std::vector<std::int64_t> expected;
      for (std::size_t i = 0; i < list.size(); ++i)
        if (random() % 3 != 0) {
          ordinals.push_back(ordinal + i);
          expected.push_back(static_cast<std::int64_t>(list[i]));
        }
      std::vector<std::int64_t> samples(ordinals.size());
      std::vector<std::uint32_t> places(ordinals.size());
      members.samples(s, ordinals, samples);
      members.places(s, samples, places);
      good = good && samples == expected;
      for (std::size_t i = 0; i < places.size(); ++i) good = good && places[i] == ordinals[i] - ordinal;
      std::uint64_t below = 0;
      for (auto sample = model.slabs[s].first; sample < model.slabs[s].last; ++sample) {
        const bool in = below < list.size() && list[below] == sample;
        good = good && members.contains(s, sample) == in && members.place(s, sample) == below;
        below += in;
      }
      ordinal += list.size();
    }
    BOOST_TEST(good);
    BOOST_TEST(members.size() == ordinal);
  }
}

BOOST_AUTO_TEST_CASE(runs_cover_the_members_of_a_range) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 300; ++round) {
    const auto model = random_model(random);
    const auto members = model.members_known(0, static_cast<std::uint32_t>(model.slabs.size()), ask_of(round));
    const auto s = static_cast<std::uint32_t>(random() % model.slabs.size());
    const auto [low, high] = model.slabs[s];
    const auto first = low + random() % (high - low + 1), last = first + random() % (high - first + 1);
    std::vector<std::uint64_t> found, expected;
    std::uint64_t end = 0;
    members.runs(s, first, last, [&](std::uint64_t begin, std::uint64_t count) {
      BOOST_TEST((found.empty() || begin > end));  // as long as they can be
      for (std::uint64_t i = 0; i < count; ++i) found.push_back(begin + i);
      end = begin + count;
    });
    for (const auto sample : model.members[s])
      if (sample >= first && sample < last) expected.push_back(sample);
    BOOST_TEST((found == expected));
  }
}

BOOST_AUTO_TEST_CASE(runs_of_a_selection) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t n = 50 + random() % 500;
    std::vector<Range> ranges;
    for (int r = 0; r < 3; ++r) ranges.push_back({random() % n, n - random() % 40, 1 + random() % 3});
    const auto selection = Selection::of(ranges);
    const std::vector<Slab> slabs{{0, n / 3}, {n / 3, n}};
    const Members members(selection, slabs);
    std::vector<std::uint64_t> found, expected;
    for (std::uint32_t s = 0; s < 2; ++s)
      members.runs(s, slabs[s].first, slabs[s].last, [&](std::uint64_t begin, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) found.push_back(begin + i);
      });
    for (std::uint64_t sample = 0; sample < n; ++sample)
      if (selection.contains({sample})) expected.push_back(sample);
    BOOST_TEST((found == expected));
  }
}

BOOST_AUTO_TEST_CASE(only_the_sets_of_this_node_are_known) {
  std::mt19937_64 random(14);
  auto model = random_model(random);
  while (model.slabs.size() < 3) model = random_model(random);
  const auto members = model.members_known(1, 1, SampleSet::Ask::ranks);
  BOOST_TEST(!members.known(0));
  BOOST_TEST(members.known(1));
  BOOST_TEST(!members.known(2));
  BOOST_TEST(members.selection() == nullptr);
}

BOOST_AUTO_TEST_CASE(slabs_by_histogram) {
  std::mt19937_64 random(15);
  for (int round = 0; round < 300; ++round) {
    Histogram stored;
    std::uint64_t samples = 0, total = 0, most = 0;
    for (auto b = 1 + random() % 200; b-- > 0;) {
      stored.starts.push_back(samples);
      const auto width = 1 + random() % 50;
      stored.counts.push_back(random() % 3 == 0 ? 0 : random() % (width + 1));
      samples += width;
      total += stored.counts.back();
      most = std::max(most, stored.counts.back());
    }
    const std::vector<double> weights(1 + random() % 9, 1.0);
    const auto slabs = divide(samples, stored, weights);
    BOOST_TEST(slabs.size() == weights.size());
    std::uint64_t border = 0;
    for (const auto& slab : slabs) {
      BOOST_TEST(slab.first == border);
      BOOST_TEST(slab.last >= slab.first);
      std::uint64_t held = 0;
      for (std::size_t b = 0; b < stored.starts.size(); ++b)
        if (stored.starts[b] >= slab.first && stored.starts[b] < slab.last) held += stored.counts[b];
      BOOST_TEST(held <= total / weights.size() + 1 + most);  // half a bucket too much at either border
      border = slab.last;
    }
    BOOST_TEST(border == samples);
  }
}

BOOST_AUTO_TEST_SUITE_END()
