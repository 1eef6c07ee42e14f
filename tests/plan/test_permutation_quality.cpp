// Is a random order what we deliver? Each statistic is taken of three families: ours and Fisher-Yates must pass,
// an affine one must be caught (otherwise the statistic says nothing). Seeds are fixed: there is no chance in it.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include "plan/permutation.hpp"
#include "plan/statistics.hpp"

namespace {

using namespace statistics;
namespace plan = headrace::plan;

Order ours(std::uint64_t n, std::uint64_t epoch) {
  Order order(n);
  plan::Permutation(n, plan::epoch_key(1234, "train", epoch)).evaluate(0, order);
  return order;
}

/// `statistic` of (family, n) for every n; at least one n must expose the affine family.
void compare(const std::string& name, std::initializer_list<std::uint64_t> sizes,
             const std::function<double(const Family&, std::uint64_t)>& statistic) {
  double caught = 0;
  for (const auto n : sizes) {
    const double of_ours = statistic(ours, n), of_reference = statistic(fisher_yates, n);
    BOOST_TEST_MESSAGE(name << " n=" << n << ": ours " << of_ours << ", reference " << of_reference);
    BOOST_TEST(of_ours < limit, name << " at n=" << n << ": " << of_ours << " standard deviations from random");
    BOOST_TEST(of_reference < limit,
               name << " at n=" << n << ": the test is wrong, the reference fails it by " << of_reference);
    caught = std::max(caught, statistic(affine, n));
  }
  BOOST_TEST(caught > 2 * limit, name << " does not expose the affine family: " << caught);
}

std::size_t rank_of(const Order& order) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::size_t smaller = 0;
    for (std::size_t j = i + 1; j < order.size(); ++j) smaller += order[j] < order[i] ? 1 : 0;
    rank = rank * (order.size() - i) + smaller;
  }
  return rank;
}

double inversions(const Order& order) {
  double count = 0;
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = i + 1; j < order.size(); ++j) count += order[j] < order[i] ? 1 : 0;
  return count;
}

double spearman(const Order& a, const Order& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return sum;
}

double moments_of_spearman(std::span<const double> values, std::uint64_t size) {
  const double n = static_cast<double>(size);
  return moments(values, n * (n * n - 1) / 6, n * n * (n + 1) * (n + 1) * (n - 1) / 36);
}

Order identity(std::uint64_t n) {
  Order order(n);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  return order;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(permutation_quality)

BOOST_AUTO_TEST_CASE(every_order_of_a_few_samples_is_as_likely) {
  compare("orders", {2, 3, 4, 5, 6}, [](const Family& family, std::uint64_t n) {
    std::vector<double> counts(static_cast<std::size_t>(std::tgamma(static_cast<double>(n) + 1) + 0.5));
    for (std::uint64_t key = 0; key < 500 * counts.size() && key < 100'000; ++key) ++counts[rank_of(family(n, key))];
    return excess(counts);
  });
}

BOOST_AUTO_TEST_CASE(every_sample_goes_everywhere) {
  compare("places", {10, 65, 200}, [](const Family& family, std::uint64_t n) {
    std::vector<double> counts(n * n);
    for (std::uint64_t key = 0; key < 50 * n; ++key) {
      const auto order = family(n, key);
      for (std::uint64_t p = 0; p < n; ++p) ++counts[p * n + order[p]];
    }
    const double m = static_cast<double>(n - 1);
    // A power of two of places is no trouble for an affine map; its chi-square may also be far too small.
    return std::abs(excess(counts, m * m));
  });
}

BOOST_AUTO_TEST_CASE(neighbours_are_unrelated) {
  for (const std::uint64_t lag : {1, 2, 7})
    compare("differences at lag " + std::to_string(lag), {129, 1000}, [lag](const Family& family, std::uint64_t n) {
      std::vector<double> counts(n - 1);
      for (std::uint64_t key = 0; key < 400; ++key) {
        const auto order = family(n, key);
        for (std::uint64_t p = 0; p + lag < n; ++p) ++counts[(order[p + lag] + n - order[p]) % n - 1];
      }
      return excess(counts);
    });
}

BOOST_AUTO_TEST_CASE(few_samples_stay_where_they_are) {
  compare("fixed points", {65, 300, 1000}, [](const Family& family, std::uint64_t n) {
    std::vector<std::uint64_t> fixed;
    for (std::uint64_t key = 0; key < 4000; ++key) {
      const auto order = family(n, key);
      std::uint64_t count = 0;
      for (std::uint64_t p = 0; p < n; ++p) count += order[p] == p ? 1 : 0;
      fixed.push_back(count);
    }
    return poisson(fixed);
  });
}

BOOST_AUTO_TEST_CASE(ascents_come_and_go) {
  compare("ascents", {40, 257, 1000}, [](const Family& family, std::uint64_t n) {
    std::vector<double> ascents;
    for (std::uint64_t key = 0; key < 3000; ++key) {
      const auto order = family(n, key);
      double count = 0;
      for (std::uint64_t p = 0; p + 1 < n; ++p) count += order[p] < order[p + 1] ? 1 : 0;
      ascents.push_back(count);
    }
    return moments(ascents, static_cast<double>(n - 1) / 2, static_cast<double>(n + 1) / 12);
  });
}

BOOST_AUTO_TEST_CASE(distances_from_file_order) {
  compare("inversions", {33, 150}, [](const Family& family, std::uint64_t size) {
    std::vector<double> values;
    for (std::uint64_t key = 0; key < 3000; ++key) values.push_back(inversions(family(size, key)));
    const double n = static_cast<double>(size);
    return moments(values, n * (n - 1) / 4, n * (n - 1) * (2 * n + 5) / 72);
  });
  compare("squared distance", {100, 1000}, [](const Family& family, std::uint64_t n) {
    std::vector<double> values;
    for (std::uint64_t key = 0; key < 3000; ++key) values.push_back(spearman(family(n, key), identity(n)));
    return moments_of_spearman(values, n);
  });
}

BOOST_AUTO_TEST_CASE(cycles_have_the_right_number) {
  compare("cycles", {100, 1000}, [](const Family& family, std::uint64_t n) {
    std::vector<double> values;
    for (std::uint64_t key = 0; key < 3000; ++key) {
      const auto order = family(n, key);
      std::vector<bool> seen(n);
      double cycles = 0;
      for (std::uint64_t p = 0; p < n; ++p) {
        if (seen[p]) continue;
        ++cycles;
        for (auto q = p; !seen[q]; q = order[q]) seen[q] = true;
      }
      values.push_back(cycles);
    }
    double mean = 0, variance = 0;
    for (std::uint64_t k = 1; k <= n; ++k) {
      const double p = 1 / static_cast<double>(k);
      mean += p;
      variance += p * (1 - p);
    }
    return moments(values, mean, variance);
  });
}

BOOST_AUTO_TEST_SUITE_END()
