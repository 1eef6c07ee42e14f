#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

#include "plan/blocks.hpp"

using namespace headrace::plan;
using Borders = std::vector<std::uint64_t>;

BOOST_AUTO_TEST_SUITE(blocks)

BOOST_AUTO_TEST_CASE(a_file_is_cut_evenly) {
  const std::vector<FileRows> file{{.samples = 105, .row_bytes = 10}};
  BOOST_TEST(cut_into_blocks(file, 200).first_sample == (Borders{0, 21, 42, 63, 84, 105}),
             boost::test_tools::per_element());
  BOOST_TEST(cut_into_blocks(file, 600).first_sample == (Borders{0, 105}), boost::test_tools::per_element());
  BOOST_TEST(cut_into_blocks(file, 5000).first_sample == (Borders{0, 105}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(chunks_are_not_cut) {
  const std::vector<FileRows> file{{.samples = 105, .row_bytes = 10, .align = 16}};
  BOOST_TEST(cut_into_blocks(file, 200).first_sample == (Borders{0, 32, 64, 105}), boost::test_tools::per_element());
  const std::vector<FileRows> one_chunk{{.samples = 105, .row_bytes = 10, .align = 105}};
  BOOST_TEST(cut_into_blocks(one_chunk, 200).first_sample == (Borders{0, 105}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_end_blocks_and_small_ones_are_put_together) {
  const std::vector<FileRows> files{{.samples = 7, .row_bytes = 10},  {.samples = 40, .row_bytes = 10},
                                    {.samples = 5, .row_bytes = 10},  {.samples = 0, .row_bytes = 10},
                                    {.samples = 16, .row_bytes = 10}, {.samples = 3, .row_bytes = 10},
                                    {.samples = 2, .row_bytes = 10}};
  BOOST_TEST(cut_into_blocks(files, 200).first_sample == (Borders{0, 7, 27, 47, 68, 73}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whatever_the_files_are) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<FileRows> files(1 + random() % 8);
    const auto least = 1 + random() % 3000;
    for (auto& file : files) file = {random() % 500, 1 + random() % 60, 1 + random() % 40};
    const auto blocks = cut_into_blocks(files, least);
    BOOST_TEST(most_blocks_of(files, least) >= blocks.size());
    BOOST_TEST(most_blocks_of(files, least) <= blocks.size() + 1 + files.size());
    std::uint64_t begin = 0;
    BOOST_TEST(std::ranges::is_sorted(blocks.first_sample));
    BOOST_TEST((std::ranges::adjacent_find(blocks.first_sample) == blocks.first_sample.end()));
    for (const auto& file : files) {
      const auto end = begin + file.samples;
      std::vector<std::uint64_t> inner;
      for (const auto first : blocks.first_sample)
        if (first > begin && first < end) inner.push_back(first);
      for (const auto first : inner) BOOST_TEST((first - begin) % file.align == 0u);
      if (file.samples * file.row_bytes >= least) {
        BOOST_TEST(std::ranges::binary_search(blocks.first_sample, begin));
        BOOST_TEST(std::ranges::binary_search(blocks.first_sample, end));
        inner.push_back(end);
        for (auto last = begin; const auto first : inner) {
          BOOST_TEST((first - last) * file.row_bytes >= least);
          const auto most = 2 * (least + file.row_bytes) + 3 * file.align * file.row_bytes;
          BOOST_TEST((first - last) * file.row_bytes <= most);
          last = first;
        }
      } else {
        BOOST_TEST(inner.empty());
      }
      begin = end;
    }
    BOOST_TEST(blocks.first_sample.back() == begin);
  }
}

BOOST_AUTO_TEST_SUITE_END()
