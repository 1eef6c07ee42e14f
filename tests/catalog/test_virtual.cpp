// Virtual files as one process sees them, and the arithmetic of what their parts fill.
#include <boost/test/unit_test.hpp>
#include <random>

#include "../h5/formula.hpp"
#include "catalog/catalog.hpp"
#include "catalog/coverage.hpp"
#include "catalog/grouping.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::catalog;
using Dims = std::vector<std::uint64_t>;
using Runs = std::vector<RowRun>;

BOOST_AUTO_TEST_SUITE(virtual_files)

static h5::VirtualPart part(Dims start, Dims stride, Dims count, Dims block) {
  h5::VirtualPart result;
  result.to = {{std::move(start), std::move(stride), std::move(count), std::move(block)}};
  return result;
}

BOOST_AUTO_TEST_CASE(rows_that_no_part_fills) {
  const auto head = part({0, 0}, {1, 1}, {10, 1}, {1, 4}), tail = part({12, 0}, {8, 4}, {1, 1}, {8, 4});
  BOOST_TEST((uncovered({head, tail}, {20, 4}) == (Runs{{10, 12}})));
  BOOST_TEST((uncovered({tail}, {20, 4}) == (Runs{{0, 12}})));
  BOOST_TEST((uncovered({}, {20, 4}) == (Runs{{0, 20}})));
  const auto even = part({0, 0}, {2, 1}, {10, 1}, {1, 4}), odd = part({1, 0}, {2, 1}, {9, 1}, {1, 4});
  BOOST_TEST((uncovered({even, odd}, {20, 4}) == (Runs{{19, 20}})));
  const auto left = part({0, 0}, {1, 1}, {1, 1}, {20, 3}), right = part({0, 3}, {1, 1}, {1, 1}, {15, 1});
  BOOST_TEST((uncovered({left, right}, {20, 4}) == (Runs{{15, 20}})));
  BOOST_TEST(rows_of(even, {20, 4}).size() == 10u);
  BOOST_TEST(count_rows(joined({{3, 5}, {0, 2}, {4, 9}, {2, 3}})) == 9u);
}

/// Against counting element by element.
BOOST_AUTO_TEST_CASE(rows_that_no_part_fills_at_random) {
  std::mt19937 random(7);
  const auto below = [&](std::uint64_t n) { return std::uint64_t{random()} % n; };
  for (int round = 0; round < 2000; ++round) {
    const Dims dims{1 + below(9), 1 + below(4), 1 + below(3)};
    std::vector<h5::VirtualPart> parts;
    std::vector<bool> filled(dims[0] * dims[1] * dims[2]);
    for (auto n = below(6); n > 0; --n) {
      Dims start(3), stride(3), count(3), block(3);
      for (std::size_t axis = 0; axis < 3; ++axis) {
        start[axis] = below(dims[axis]);
        block[axis] = below(3) == 0 ? 1 : 1 + below(dims[axis] - start[axis]);
        stride[axis] = block[axis] + below(2);
        count[axis] = 1 + below((dims[axis] - start[axis] - block[axis]) / stride[axis] + 1);
      }
      parts.push_back(part(start, stride, count, block));
      const auto in = [&](std::size_t axis, std::uint64_t i) {
        return i >= start[axis] && (i - start[axis]) / stride[axis] < count[axis] &&
               (i - start[axis]) % stride[axis] < block[axis];
      };
      for (std::size_t at = 0; at < filled.size(); ++at)
        if (in(0, at / (dims[1] * dims[2])) && in(1, at / dims[2] % dims[1]) && in(2, at % dims[2])) filled[at] = true;
    }
    Runs expected;
    for (std::uint64_t row = 0; row < dims[0]; ++row) {
      const auto first = filled.begin() + static_cast<long>(row * dims[1] * dims[2]);
      if (std::find(first, first + static_cast<long>(dims[1] * dims[2]), false) !=
          first + static_cast<long>(dims[1] * dims[2]))
        expected.push_back({row, row + 1});
    }
    BOOST_TEST((uncovered(parts, dims) == joined(expected)));
  }
}

BOOST_AUTO_TEST_CASE(files_as_they_are_named_are_told_what_is_behind_them) {
  const auto report = [](const std::string& name) {
    return examine_all({fixture("virtual/" + name)}, {.see_through = false, .fill_gaps = false, .keep = {}})[0]
        .virtuals.at(0);
  };
  BOOST_TEST(text_of(report("through.h5")) == "virtual: 3 files, all there");
  BOOST_TEST(report("through.h5").seen_through);
  BOOST_TEST(text_of(report("gone.h5")) ==
             "virtual: 1 of 3 sources missing (plain/gone.h5): 17 rows would be the fill value");
  BOOST_TEST(text_of(report("uncovered.h5")) == "virtual: 2 files, all there, but 23 rows would be the fill value");
  BOOST_TEST(text_of(report("self.h5")) == "virtual: 1 file, there");
  const auto why_not = [&](const std::string& name, const std::string& words) {
    BOOST_TEST(!report(name).seen_through);
    BOOST_TEST(report(name).why_not.find(words) != std::string::npos, report(name).why_not);
  };
  why_not("beside.h5", "'y' lies beside");
  why_not("self.h5", "its own file");
  why_not("every_second.h5", "not made of whole sources");
  why_not("parts.h5", "not made of whole sources");
  why_not("columns.h5", "not made of whole sources");
  why_not("wider.h5", "another type");
  why_not("cuts.h5", "other rows of the same files");
  // As one process alone sees them, and as ranks do together: the same.
  const auto alone = examine_all({fixture("virtual/nested.h5")});
  BOOST_TEST(alone.size() == 4u);
  BOOST_TEST(alone[3].continues);
  BOOST_TEST(!alone[0].continues);
  BOOST_TEST(alone[0].instead_of->path == fixture("virtual/nested.h5"));
}

BOOST_AUTO_TEST_CASE(what_is_read_behind_the_users_files) {
  const auto behind = files_behind(examine_all({fixture("virtual/nested.h5"), fixture("virtual/every_second.h5")}));
  BOOST_TEST(behind.size() == 6u);  // p0 to p3, odd0, odd1
  const auto raw = files_behind(examine_all({fixture("virtual/raw_whole.h5")}));
  BOOST_REQUIRE(raw.size() == 1u);
  BOOST_TEST(raw[0].ends_with("/whole.raw"));
  // What is lost is told with its dataset; what of it is there may be read no more.
  BOOST_TEST(files_behind(examine_all({fixture("virtual/raw_nowhere.h5")})).empty());
}

BOOST_AUTO_TEST_SUITE_END()
