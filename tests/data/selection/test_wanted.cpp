#include "data/selection/wanted.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "config/resample_values.hpp"
#include "data/selection/apportion.hpp"
#include "data/selection/cell_numbers.hpp"
#include "texts.hpp"

namespace headrace::data::selection {

using namespace headrace::config;
using Numbers = std::vector<std::uint64_t>;

namespace {

Bins bins_of(const std::vector<std::string>& texts) {
  return Bins(bin_axes(Value{texts, "bins"}));
}

/// Two classes, four bins.
BinCounts counts(Numbers a, const Numbers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return {{"a", "b"}, bins_of({"x = 0:4:4"}), std::move(a), {}};
}

Numbers wanted(const std::string& target, BinCounts made, double times, std::uint64_t samples = 0,
               std::uint64_t max_repeat = 0) {
  ResampleConfig config;
  config.target = target;
  config.samples = {times, samples};
  config.max_repeat = max_repeat;
  settle_wanted(config, made);
  return made.wanted;
}

std::string mistake(const std::string& target, BinCounts made, std::uint64_t max_repeat = 0) {
  try {
    wanted(target, std::move(made), 1, 0, max_repeat);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no mistake";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wanted_samples)

BOOST_AUTO_TEST_CASE(parts_add_up_and_are_less_than_one_off) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    Numbers weights(1 + random() % 40);
    for (auto& weight : weights) weight = random() % 4 == 0 ? 0 : random() % (1 + (random() >> (random() % 40 + 20)));
    weights[0] += 1;
    const auto whole = random() % 100'000;
    const auto parts = apportion(whole, weights);
    const auto sum = static_cast<long double>(std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}));
    BOOST_TEST(std::accumulate(parts.begin(), parts.end(), std::uint64_t{0}) == whole);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto share = static_cast<long double>(whole) * static_cast<long double>(weights[i]) / sum;
      BOOST_TEST(std::abs(static_cast<double>(static_cast<long double>(parts[i]) - share)) < 1);
    }
  }
  BOOST_TEST((apportion(7, Numbers{1, 1, 1, 1}) == Numbers{2, 2, 2, 1}));
  BOOST_TEST((apportion(10, Numbers{1, 3, 3}) == Numbers{2, 4, 4}));
  BOOST_TEST((apportion(2, Numbers{1, 1, 1, 1}, Numbers{0, 0, 5, 0}) == Numbers{0, 0, 1, 0}));
}

BOOST_AUTO_TEST_CASE(bins_are_those_of_histograms) {
  std::mt19937_64 random(11);
  const auto bins = bins_of({"x = 0:1:7, 1:10:3, 10:1e6:20", "abs(y) = 0:2.5:10"});
  BOOST_TEST(bins.size() == 300u);
  const auto &x = bins.axes()[0].edges, &y = bins.axes()[1].edges;
  std::vector<double> xs{0, 1e6, std::nextafter(1e6, 2e6), -0.0, -1e-300, std::numeric_limits<double>::quiet_NaN(), 3};
  std::vector<double> ys{0, -2.5, 0, -1, 1, 7, std::numeric_limits<double>::quiet_NaN()};
  for (int i = 0; i < 3000; ++i) {
    xs.push_back(i % 3 == 0 ? x[random() % x.size()] : std::pow(10, static_cast<double>(random() % 1000) / 100 - 3));
    ys.push_back((random() % 2 ? 1 : -1) *
                 (i % 5 == 0 ? y[random() % y.size()] : static_cast<double>(random() % 300) / 100));
  }
  const condition::ColumnValues first(xs), second(ys);
  const std::vector<const condition::ColumnValues*> values{&first, &second};
  std::vector<std::uint32_t> found(xs.size());
  bins.find(values, found);
  const auto expected = [](const std::vector<double>& edges, double value) -> std::int64_t {
    if (std::isnan(value)) return -2;
    if (value < edges.front() || value > edges.back()) return -1;
    std::int64_t bin = 0;
    while (bin + 2 < static_cast<std::int64_t>(edges.size()) && value >= edges[static_cast<std::size_t>(bin) + 1])
      ++bin;
    return bin;
  };
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const auto a = expected(x, xs[i]), b = expected(y, std::fabs(ys[i]));
    const auto bin = a == -2 || b == -2   ? Bins::nan
                     : a == -1 || b == -1 ? Bins::outside
                                          : static_cast<std::uint32_t>(a * 10 + b);
    BOOST_TEST(found[i] == bin, xs[i] << " and " << ys[i]);
  }
  BOOST_TEST(bins.text(13) == "x from 0.142857 to 0.285714, abs(y) from 0.75 to 1");
  BOOST_TEST(bins.along(0, 13) == 1u);
  BOOST_TEST(bins.along(1, 13) == 3u);
}

/// At all edges, next to them, between and beyond them.
void check_edges(const std::string& text) {
  const auto bins = bins_of({text});
  const auto& edges = bins.axes()[0].edges;
  std::mt19937_64 random(12);
  const auto infinity = std::numeric_limits<double>::infinity();
  std::vector<double> xs{infinity, -infinity, std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
                         0};
  for (int i = 0; i < 3000; ++i) {
    const auto edge = edges[random() % edges.size()];
    const auto low = edges[random() % (edges.size() - 1)];
    xs.insert(xs.end(), {edge, std::nextafter(edge, infinity), std::nextafter(edge, -infinity),
                         low + (edges.back() - low) * std::uniform_real_distribution<>()(random)});
  }
  const condition::ColumnValues column(xs);
  const std::vector<const condition::ColumnValues*> values{&column};
  std::vector<std::uint32_t> found(xs.size());
  bins.find(values, found);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const auto above = std::upper_bound(edges.begin(), edges.end(), xs[i]) - edges.begin() - 1;
    const bool inside = xs[i] >= edges.front() && xs[i] <= edges.back();
    wrong += found[i] !=
             (inside ? std::min<std::uint32_t>(static_cast<std::uint32_t>(above), bins.size() - 1) : Bins::outside);
  }
  BOOST_TEST(wrong == 0u, text << ": " << wrong << " of " << xs.size());
  // And all instruction sets alike, with what is wrong.
  const auto axis = axis_of(edges, 3);
  std::vector<std::uint32_t> expected(xs.size());
  std::vector<std::uint8_t> expected_wrong(xs.size());
  add_bins(axis, true, xs.data(), expected, expected_wrong, plan::Isa::any);
  for (const auto isa : {plan::Isa::avx2, plan::Isa::avx512}) {
    if (!plan::supported(isa)) continue;
    std::vector<std::uint32_t> sums(xs.size());
    std::vector<std::uint8_t> what(xs.size());
    add_bins(axis, true, xs.data(), sums, what, isa);
    std::size_t unlike = 0;
    for (std::size_t i = 0; i < xs.size(); ++i)
      unlike += what[i] != expected_wrong[i] || (what[i] == 0 && sums[i] != expected[i]);
    BOOST_TEST(unlike == 0u, text);
  }
}

BOOST_AUTO_TEST_CASE(bins_of_any_widths) {
  for (const auto* text :
       {"x = 0:1:1", "x = 0:1:3", "x = -3:5:17", "x = 0:1000:777", "x = -1e6:1e6:3000", "x = 0.1:0.7:6, 0.7:3:1",
        "x = 1:10:9, 10:100:9, 100:1000:9, 1e3:1e6:3, 1e6:1e9:1", "x = 0:1e-3:10, 1e-3:1:5, 1:1e5:9",  // by magnitude
        "x = 0:1e-300:2, 1e-300:1:2", "x = 5e-324:1:1, 1:1e308:2", "x = -1:1e-300:1, 1e-300:2e-300:1, 2e-300:1:1",
        "x = -1e308:0:2, 0:1e308:2"})  // by no buckets
    check_edges(text);
}

BOOST_AUTO_TEST_CASE(cells_are_those_of_the_class_and_the_bin) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 50; ++round) {
    const auto samples = random() % 3000, classes = random() % 4;
    std::vector<std::uint64_t> bits((samples + 63) / 64);
    std::vector<std::vector<std::uint64_t>> of(classes, bits);
    std::vector<std::uint32_t> bins, expected;
    Numbers counts(12);
    std::vector<std::uint16_t> numbers, numbered_so;
    for (std::uint16_t c = 0; c < 12; ++c) numbers.push_back(static_cast<std::uint16_t>(random() % 99));
    for (std::size_t i = 0; i < samples; ++i) {
      const auto put = [&](std::vector<std::uint64_t>& set) { set[i / 64] |= std::uint64_t{1} << i % 64; };
      bins.push_back(random() % 5 == 0 ? Bins::outside - static_cast<std::uint32_t>(random() % 2)
                                       : static_cast<std::uint32_t>(random() % 3));
      const bool comes = random() % 4 != 0;
      const auto which = random() % (classes + 1);  // the last: of none
      if (comes) put(bits);
      if (which < classes) put(of[which]);
      const bool in = comes && (classes == 0 || which < classes);
      expected.push_back(!in                  ? no_cell
                         : bins[i] >= no_cell ? bins[i]
                                              : static_cast<std::uint32_t>(which) * 3 + bins[i]);
      if (expected.back() < 12) ++counts[expected.back()];
      numbered_so.push_back(expected.back() < 12 ? numbers[expected.back()] : std::uint16_t{99});
    }
    const SampleCells cells(bins, 3, bits, of);
    for (const auto isa : {plan::Isa::any, plan::Isa::avx2, plan::Isa::avx512}) {
      if (!plan::supported(isa)) continue;
      std::vector<std::uint32_t> found(samples);
      cells.find(0, found, isa);
      BOOST_TEST(found == expected, boost::test_tools::per_element());
    }
    const auto counted = count_cells(cells, 12);
    BOOST_TEST(counted.there == counts, boost::test_tools::per_element());
    BOOST_TEST(counted.nan == static_cast<std::uint64_t>(std::ranges::count(expected, Bins::nan)));
    BOOST_TEST(counted.outside == static_cast<std::uint64_t>(std::ranges::count(expected, Bins::outside)));
    BOOST_TEST((numbered(cells, numbers, 99) == numbered_so));
  }
}

BOOST_AUTO_TEST_CASE(whole_numbers_are_binned_as_they_are) {
  const auto bins = bins_of({"n = 0:10:5"});
  const condition::ColumnValues values(std::vector<std::int64_t>{0, 1, 2, 9, 10, 11, -1});
  const std::vector<const condition::ColumnValues*> all{&values};
  std::vector<std::uint32_t> found(7);
  bins.find(all, found);
  BOOST_TEST(found == (std::vector<std::uint32_t>{0, 0, 1, 4, 4, Bins::outside, Bins::outside}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(targets) {
  const auto made = [] { return counts({10, 20, 30, 40}, {40, 4, 10, 6}); };
  BOOST_TEST((wanted("a", made(), 1) == Numbers{10, 20, 30, 40, 10, 20, 30, 40}));
  BOOST_TEST((wanted("b", made(), 0.5) == Numbers{20, 2, 5, 3, 20, 2, 5, 3}));
  BOOST_TEST((wanted("min", made(), 1) == Numbers{10, 4, 10, 6, 10, 4, 10, 6}));
  BOOST_TEST((wanted("max", made(), 1) == Numbers{40, 20, 30, 40, 40, 20, 30, 40}));
  BOOST_TEST((wanted("mean", made(), 1) == Numbers{25, 12, 20, 23, 25, 12, 20, 23}));
  BOOST_TEST((wanted("flat", made(), 1) == Numbers{15, 15, 15, 15, 15, 15, 15, 15}));
  BOOST_TEST((wanted("a", made(), 1, 11) == Numbers{1, 2, 3, 5, 1, 2, 3, 5}));
}

BOOST_AUTO_TEST_CASE(a_target_in_a_file) {
  const std::string path = "target-" + std::to_string(getpid()) + ".txt";
  const auto with = [&](const std::string& text) {
    std::ofstream(path) << text;
    return path;
  };
  const auto made = [] { return counts({10, 20, 30, 40}, {40, 4, 10, 6}); };
  BOOST_TEST((wanted(with("1 2\n3, 4\n"), made(), 0, 20) == Numbers{2, 4, 6, 8, 2, 4, 6, 8}));
  BOOST_TEST((wanted(with("# two lines\r\n1.000e-01 2.000e-01\r\n+0.3;0.4# and its end"), made(), 0, 20) ==
              Numbers{2, 4, 6, 8, 2, 4, 6, 8}));
  BOOST_TEST((wanted(with("0 1e300 3e300 0"), made(), 0, 20) == Numbers{0, 5, 15, 0, 0, 5, 15, 0}));
  // As many as the smaller class has.
  BOOST_TEST((wanted(with("1 1 1 1"), made(), 0.5) == Numbers{8, 8, 7, 7, 8, 8, 7, 7}));
  for (const auto& [text, what] :
       std::vector<std::pair<std::string, std::string>>{{"1 2 3", "it has 3 numbers, and there are 4 bins"},
                                                        {"1 2 3 4 5", "it has 5 numbers"},
                                                        {"", "it has 0 numbers"},
                                                        {"1 2\n3 -4", "line 2 has '-4', which is no number from 0 on"},
                                                        {"1 2 nan 4", "line 1 has 'nan'"},
                                                        {"1 2 inf 4", "line 1 has 'inf'"},
                                                        {"1 2 3x 4", "line 1 has '3x'"},
                                                        {"0 0 0 0", "its numbers add up to 0"},
                                                        {"1e308 1e308 1 1", "its numbers add up to inf"}})
    BOOST_TEST(has(mistake(with(text), made()), what), mistake(path, made()));
  std::remove(path.c_str());
  BOOST_TEST(has(mistake(path, made()), "it is neither a class nor a file that can be read (no such file)"));
}

BOOST_AUTO_TEST_CASE(max_repeat_makes_a_class_smaller_and_keeps_its_shape) {
  // b has 4 in bin 1, of which a target like a takes a fifth.
  BOOST_TEST((wanted("a", counts({10, 20, 30, 40}, {40, 4, 10, 6}), 1, 0, 2) == Numbers{10, 20, 30, 40, 3, 6, 9, 12}));
  BOOST_TEST((wanted("min", counts({10, 20, 30, 40}, {40, 4, 10, 6}), 1, 0, 1) == Numbers{10, 4, 10, 6, 10, 4, 10, 6}));
  std::mt19937_64 random(12);
  for (int round = 0; round < 200; ++round) {
    Numbers a(4), b(4);
    for (auto& n : a) n = 1 + random() % 100;
    for (auto& n : b) n = 1 + random() % 100;
    const auto most = 1 + random() % 3;
    const auto made = counts(a, b);
    const auto all = wanted("a", made, 1, 0, most);
    for (std::size_t cell = 0; cell < 8; ++cell) BOOST_TEST(all[cell] <= most * made.there[cell]);
  }
}

BOOST_AUTO_TEST_CASE(less_than_one_of_an_empty_bin_is_none) {
  BOOST_TEST(
      (wanted("a", counts({1, 1000, 1000, 1000}, {0, 10, 10, 10}), 1, 30) == Numbers{0, 10, 10, 10, 0, 10, 10, 10}));
  const auto text = mistake("a", counts({10, 20, 30, 40}, {40, 0, 10, 0}));
  BOOST_TEST(
      has(text,
            "class 'b' has no sample in 2 bins that the target fills (the first: x from 1 to 2, where 20 are wanted)"),
      text);
  BOOST_TEST(has(mistake("min", counts({1, 0, 1, 0}, {0, 1, 0, 1})), "in none do all classes have any"));
  BOOST_TEST(has(mistake("flat", counts({9, 9, 9, 9}, {0, 0, 0, 0})), "has no sample in the bins"));
}

BOOST_AUTO_TEST_CASE(weights_make_up_for_no_empty_bin) {
  ResampleConfig config;
  config.target = "a";
  auto made = counts({10, 20, 30, 40}, {5, 10, 15, 20});
  const auto weights = settle_weights(config, made);
  for (std::size_t bin = 0; bin < 4; ++bin) BOOST_TEST(weights[4 + bin] == 2.0);
  made = counts({10, 20, 30, 40}, {5, 10, 0, 20});
  BOOST_CHECK_EXCEPTION(settle_weights(config, made), UsageError, [](const auto& error) {
    return has(error.what(), "class 'b' has no sample in 1 bin that the target fills") &&
           has(error.what(), "weights of others would not do");
  });
  made = counts({10, 20, 30, 40}, {0, 0, 0, 0});  // a class that the stream has nothing of at all weighs nothing
  BOOST_TEST(settle_weights(config, made)[4] == 0.0);
}

BOOST_AUTO_TEST_CASE(what_an_epoch_brings) {
  auto made = counts({10, 20, 30, 40}, {40, 4, 10, 6});
  made.wanted = {10, 20, 30, 40, 10, 20, 30, 40};
  const auto draws = class_draws(made);
  BOOST_TEST(draws[0].distinct == 100u);
  BOOST_TEST(draws[0].effective == 100);
  BOOST_TEST(text_of(draws[0]) == "a: 100 of 100 samples, each at most once, effective 100");
  BOOST_TEST(draws[1].distinct == 30u);
  BOOST_TEST(draws[1].most == 7u);
  // 10 once; 4 five times; 10 three times; 4 seven times and 2 six times
  BOOST_TEST(draws[1].effective == 1e4 / (10 + 4 * 25 + 10 * 9 + 4 * 49 + 2 * 36), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(text_of(draws[1]) ==
             "b: 100 of 60 samples, 30 distinct and 70 repeats (each at most 7 times), effective 21");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::selection
