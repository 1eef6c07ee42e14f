// Selections against Python's slices, done the slow way.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "plan/selection.hpp"

namespace {

using namespace headrace;
using plan::Range;
using plan::Selection;

using Samples = std::set<std::uint64_t>;

struct Slice {
  std::string text;
  Samples samples;
};

/// A bound: missing, inside, negative, beyond either end.
std::string random_bound(std::mt19937_64& random, std::int64_t n, bool start) {
  if (random() % 4 == 0) return "";
  const auto reach = start ? 2 * n : 3 * n + 2;  // a start at or beyond the end is an error of its own
  return std::to_string(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach)) - n);
}

/// What CPython's slice.indices() does, for positive steps.
std::int64_t clipped(const std::string& bound, std::int64_t missing, std::int64_t n) {
  if (bound.empty()) return missing;
  const auto value = std::stoll(bound);
  if (value < 0) return value + n < 0 ? 0 : value + n;
  return value > n ? n : value;
}

Slice random_slice(std::mt19937_64& random, std::int64_t n) {
  const auto first = random_bound(random, n, true), last = random_bound(random, n, false);
  const auto step = random() % 3 == 0 ? std::string() : std::to_string(1 + random() % 12);
  Slice slice{first + ":" + last + (step.empty() && random() % 2 == 0 ? "" : ":" + step), {}};
  const auto stride = step.empty() ? 1 : std::stoll(step);
  for (auto s = clipped(first, 0, n); s < clipped(last, n, n); s += stride)
    slice.samples.insert(static_cast<std::uint64_t>(s));
  return slice;
}

Slice random_slices(std::mt19937_64& random, std::int64_t n) {
  auto slices = random_slice(random, n);
  for (auto more = random() % 4; more > 0; --more) {
    const auto slice = random_slice(random, n);
    slices.text += (random() % 2 == 0 ? "," : " , ") + slice.text;
    slices.samples.insert(slice.samples.begin(), slice.samples.end());
  }
  return slices;
}

Samples members(const Selection& selection) {
  Samples all;
  for (std::uint64_t k = 0; k < selection.size(); ++k) all.insert(selection.sample({k}).value);
  return all;
}

bool well_formed(const Selection& selection) {
  std::uint64_t end = 0, before = 0;
  for (const auto& segment : selection.segments()) {
    if (segment.first < end || segment.before != before || segment.count() == 0 || segment.offsets.front() != 0)
      return false;
    if (segment.sample(segment.count() - 1) + 1 != segment.last) return false;
    end = segment.last;
    before += segment.count();
  }
  return before == selection.size();
}

/// Rows counted from somewhere inside, as a stager counts those of its slab.
bool numbers_rows(const Selection& selection, const std::vector<std::int64_t>& samples) {
  const std::uint64_t base = samples.size() / 3;
  const std::vector<std::int64_t> held(samples.begin() + static_cast<std::ptrdiff_t>(base), samples.end());
  std::vector<std::uint32_t> rows(held.size()), wanted(held.size());
  std::iota(wanted.begin(), wanted.end(), 0u);
  selection.ordinals(held, base, rows);
  return rows == wanted;
}

/// Everything that a selection answers, against the plain set.
void check(const Selection& selection, const Samples& wanted, std::uint64_t n, const std::string& text) {
  BOOST_TEST_CONTEXT(text << " of " << n) {
    BOOST_TEST(well_formed(selection));
    BOOST_TEST(selection.size() == wanted.size());
    std::vector<std::uint64_t> ordinals;
    std::vector<std::int64_t> expected;
    bool good = true;
    std::uint64_t below = 0;
    for (std::uint64_t s = 0; s <= n; ++s) {
      const bool in = wanted.contains(s);
      good = good && selection.lower_bound({s}).value == below && selection.contains({s}) == in;
      if (!in) continue;
      good = good && selection.sample({below}).value == s;
      ordinals.push_back(below++);
      expected.push_back(static_cast<std::int64_t>(s));
    }
    BOOST_TEST(good);
    std::vector<std::int64_t> samples(ordinals.size());
    selection.samples(ordinals, samples);
    BOOST_TEST((samples == expected));
    BOOST_TEST(numbers_rows(selection, samples));
    Samples of_ranges;
    std::uint64_t count = 0;
    for (const auto& range : selection.ranges()) {
      count += range.count();
      for (auto s = range.first; s < range.last; s += range.step) of_ranges.insert(s);
    }
    BOOST_TEST(count == wanted.size());
    BOOST_TEST((of_ranges == wanted));
  }
}

bool names(const Error& error, const std::string& part) {
  return std::string(error.what()).find(part) != std::string::npos;
}

#define REFUSED(text, n, part) \
  BOOST_CHECK_EXCEPTION(Selection::parse(text, n), UsageError, [](const Error& e) { return names(e, part); })

}  // namespace

BOOST_AUTO_TEST_SUITE(selection)

BOOST_AUTO_TEST_CASE(slices_mean_what_python_means) {
  std::mt19937_64 random(11);
  int parsed = 0;
  for (int i = 0; i < 6000; ++i) {
    const auto n = static_cast<std::int64_t>(1 + random() % 120);
    const auto slices = random_slices(random, n);
    try {
      check(Selection::parse(slices.text, static_cast<std::uint64_t>(n)), slices.samples, static_cast<std::uint64_t>(n),
            slices.text);
      ++parsed;
    } catch (const UsageError& error) {
      BOOST_TEST((slices.samples.empty() || names(error, "out of range")), slices.text << ": " << error.what());
    }
  }
  BOOST_TEST(parsed > 3000);
}

BOOST_AUTO_TEST_CASE(numbers_as_people_write_them) {
  const std::uint64_t n = 3'000'000;
  BOOST_TEST(Selection::parse(":2.8e6", n).size() == 2'800'000u);
  BOOST_TEST(Selection::parse("2.8e6:", n).size() == 200'000u);
  BOOST_TEST(Selection::parse("2_800_000:", n).size() == 200'000u);
  BOOST_TEST(Selection::parse("-1e3:", n).size() == 1000u);
  BOOST_TEST(Selection::parse(" : ", n).size() == n);
  BOOST_TEST(Selection::parse(":1e30", n).size() == n);
  BOOST_TEST(Selection::parse(":99999999999999999999999", n).size() == n);
  BOOST_TEST(Selection::parse("-1e30:+5", n).size() == 5u);
  BOOST_TEST(Selection::parse("::1e30", n).size() == 1u);
  BOOST_TEST(Selection::parse(".5e1:6:", n).size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_no_slice_is_refused) {
  for (const auto* text : {"",     " ",    "5",        "abc",   "1:2:3:4", "1:x",  "1.5:",   ":2.5e0", "1e:",
                           "1_:",  "_1:",  "1__0:",    "1e_5:", "1._5:",   "--1:", "0x10:",  "inf:",   "nan:",
                           "1:2,", ",1:2", "1:2,,3:4", "1 2:",  ": :0",    "::-1", "1:2;3:4"})
    REFUSED(text, 100, "select: '");
  REFUSED("::0", 100, "the step must be at least 1");
  REFUSED("1:2.5", 100, "'2.5' is not a whole number");
  REFUSED("17", 100, "it has no colon");
  REFUSED("100:", 100, "select out of range: '100:' starts beyond the last of 100 samples");
  REFUSED("1e30:", 100, "out of range");
  REFUSED("0:5,200:300", 100, "200:300");
  REFUSED("5:3", 100, "selects none of 100 samples");
  REFUSED(":-200", 100, "selects none");
  REFUSED(":", 0, "selects none of 0 samples");
}

BOOST_AUTO_TEST_CASE(folds_that_interleave_take_no_memory) {
  const std::uint64_t n = 3'000'000'001;
  const auto train = Selection::parse("1::10,2::10,3::10,4::10,5::10,6::10,7::10,8::10,9::10", n);
  const auto test = Selection::parse("::10", n);
  BOOST_TEST(train.segments().size() == 1u);
  BOOST_TEST(train.size() == n / 10 * 9);
  BOOST_TEST(train.sample({9}).value == 11u);
  const std::vector<Selection> parts{test, train};
  BOOST_TEST((Selection::unite(parts) == Selection::all(n)));
  const auto thirds = Selection::parse("::6,1::6,3::6,4::6", 6'000'000);
  BOOST_TEST(thirds.segments().front().period == 3u);
}

BOOST_AUTO_TEST_CASE(neighbours_and_overlaps_become_one) {
  BOOST_TEST((Selection::parse("0:50,50:100", 100) == Selection::all(100)));
  BOOST_TEST((Selection::parse("30:100,0:60", 100) == Selection::all(100)));
  BOOST_TEST((Selection::parse("::2,1::2", 100) == Selection::all(100)));
  BOOST_TEST((Selection::parse("::4,20:30:2,:", 100) == Selection::all(100)));
  const std::vector<Range> steps{{0, 50, 2}, {50, 100, 2}};
  BOOST_TEST((Selection::parse("0:100:2", 100).ranges() == std::vector<Range>{{0, 99, 2}}));
  BOOST_TEST((Selection::of(steps) == Selection::parse("::2", 100)));
}

BOOST_AUTO_TEST_CASE(unions_of_selections) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 1500; ++i) {
    const std::uint64_t n = 1 + random() % 200;
    Samples wanted;
    std::vector<Selection> parts;
    for (auto more = 1 + random() % 4; more > 0; --more) {
      const auto slices = random_slices(random, static_cast<std::int64_t>(n));
      if (slices.samples.empty()) {
        parts.emplace_back();
        continue;
      }
      try {
        parts.push_back(Selection::parse(slices.text, n));
      } catch (const UsageError&) {
        continue;  // one of the slices starts beyond the end
      }
      wanted.insert(slices.samples.begin(), slices.samples.end());
    }
    check(Selection::unite(parts), wanted, n, "union");
  }
}

BOOST_AUTO_TEST_CASE(samples_that_two_share_are_counted) {
  std::mt19937_64 random(29);
  int counted = 0, some = 0;
  for (int i = 0; i < 4000; ++i) {
    const auto n = static_cast<std::int64_t>(1 + random() % 200);
    const auto a = random_slices(random, n), b = random_slices(random, n);
    try {
      const auto one = Selection::parse(a.text, static_cast<std::uint64_t>(n));
      const auto other = Selection::parse(b.text, static_cast<std::uint64_t>(n));
      const auto both =
          std::count_if(a.samples.begin(), a.samples.end(), [&](auto s) { return b.samples.contains(s); });
      BOOST_TEST(plan::shared(one, other) == static_cast<std::uint64_t>(both),
                 a.text << " and " << b.text << " of " << n);
      BOOST_TEST(plan::shared(other, one) == static_cast<std::uint64_t>(both));
      BOOST_TEST(plan::shared(one, one) == one.size());
      ++counted;
      some += both > 0 ? 1 : 0;
    } catch (const UsageError&) {
    }
  }
  BOOST_TEST(counted > 1000);
  BOOST_TEST(some > 500);
  // As many samples as nobody could list: every 6th and every 10th meet every 30th.
  const std::uint64_t many = std::uint64_t{1} << 50;
  const auto sixth = Selection::parse("1::6", many), tenth = Selection::parse("3::10", many);
  BOOST_TEST(plan::shared(sixth, tenth) == (many - 13 - 1) / 30 + 1);
  BOOST_TEST(plan::shared(sixth, Selection::parse("2::10", many)) == 0u);
}

BOOST_AUTO_TEST_CASE(steps_that_never_meet_are_refused) {
  const std::uint64_t n = 1'000'000'000;
  REFUSED("::1009,1::1013,2::1019", n, "1009, 1013, 1019");
  // Large steps are fine where one covers the other, where they do not overlap, and where the pattern is short.
  BOOST_TEST(Selection::parse("::1000000,::5000000", n).size() == 1000u);
  BOOST_TEST(Selection::parse("1::1000000,::5000000", n).size() == 1200u);
  BOOST_TEST(Selection::parse("::2,4::1000000", n).size() == n / 2);
  REFUSED("::2,1::1000000", n, "steps 2, 1000000");
  REFUSED("::1000,::1001", n, "steps 1000, 1001");
  BOOST_TEST(Selection::parse(":5e8:1009,5e8::1013", n).segments().size() == 2u);
  const auto rare = Selection::parse(":3000:1009,1:3000:1013", n);
  BOOST_TEST((members(rare) == Samples{0, 1009, 2018, 1, 1014, 2027}));
}

BOOST_AUTO_TEST_CASE(unions_of_long_patterns) {
  std::vector<Range> odd_ones;
  for (std::uint64_t k = 0; k < 500; ++k) odd_ones.push_back({k * k % 1999, 4'000'000'000, 2000});
  const std::vector<Selection> parts{Selection::of(odd_ones), Selection::of(odd_ones),
                                     Selection::of({odd_ones.data(), 20})};
  BOOST_TEST((Selection::unite(parts) == parts[0]));
  BOOST_TEST(parts[0].segments().size() == 1u);
}

BOOST_AUTO_TEST_CASE(fractions) {
  const auto same = [](std::string_view a, std::string_view b, std::uint64_t n) {
    return Selection::parse(a, n) == Selection::parse(b, n);
  };
  BOOST_TEST(same("0.8:", "800:", 1000));
  BOOST_TEST(same(":0.8", ":800", 1000));
  BOOST_TEST(same("0.0:1.0", ":", 1000));
  BOOST_TEST(same("-0.2:", "-200:", 1000));
  BOOST_TEST(same(":0.5:2", ":3:2", 5));     // 2.5 is rounded away from zero
  BOOST_TEST(same("1:0.5", "1:500", 1000));  // without a point: a sample
  BOOST_TEST(same(":1.0e2", ":100", 1000));
  BOOST_CHECK_THROW(Selection::parse("1.5:", 1000), headrace::UsageError);
  // Parts with common bounds are disjoint and complete.
  for (std::uint64_t n = 1; n < 200; ++n) {
    std::uint64_t sum = 0;
    for (const auto* part : {":0.33", "0.33:0.71", "0.71:"}) {
      try {
        sum += Selection::parse(part, n).size();
      } catch (const headrace::UsageError&) {  // nothing in it
      }
    }
    BOOST_TEST(sum == n);
  }
}

BOOST_AUTO_TEST_CASE(very_large_numbers) {
  const std::uint64_t n = 1ull << 62;
  const auto all = Selection::all(n);
  BOOST_TEST(all.sample({n - 1}).value == n - 1);
  const auto tail = Selection::parse("-1000::7", n);
  BOOST_TEST(tail.size() == 143u);
  const std::vector<std::uint64_t> ordinals{0, 1, 142};
  std::vector<std::int64_t> samples(3);
  tail.samples(ordinals, samples);
  BOOST_TEST(samples[2] == static_cast<std::int64_t>(n - 1000 + 142 * 7));
  std::vector<std::uint32_t> rows(3);
  tail.ordinals(samples, 0, rows);
  BOOST_TEST(rows[2] == 142u);
  all.ordinals(samples, n - 1000, rows);
  BOOST_TEST(rows[2] == 142u * 7);
}

BOOST_AUTO_TEST_CASE(nothing_selected) {
  const Selection none;
  BOOST_TEST(none.size() == 0u);
  BOOST_TEST(none.lower_bound({5}).value == 0u);
  BOOST_TEST(!none.contains({0}));
  BOOST_TEST(Selection::all(0).size() == 0u);
  BOOST_TEST(Selection::unite({}).size() == 0u);
  none.samples({}, {});
}

BOOST_AUTO_TEST_SUITE_END()

#undef REFUSED
