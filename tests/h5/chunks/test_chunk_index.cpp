// Where chunks lie, beside what H5Dread_chunk reads, in files of every kind of index.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <vector>

#include "../formula.hpp"
#include "base/error.hpp"
#include "h5/chunks/chunk_index.hpp"
#include "h5/chunks/noting_driver.hpp"
#include "h5/describe.hpp"
#include "h5/read.hpp"

using namespace headrace;
using namespace headrace::h5;
using namespace headrace::h5::chunks;

BOOST_AUTO_TEST_SUITE(chunk_index)

static std::string bytes_of(const std::string& path, const StoredChunk& chunk) {
  std::string bytes(chunk.bytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(chunk.offset)).read(bytes.data(), chunk.bytes);
  return file ? bytes : "beyond the end";
}

struct Count {
  unsigned there = 0, absent = 0, skipped = 0;
};

/// Every chunk of the dataset in both ways, the last ones first.
static Count compare(const std::string& path, const File& file, const DatasetInfo& dataset) {
  const Reader reader(file, dataset.path);
  ChunkIndex index(dataset);
  const ChunkFinder finder(path, dataset);
  const auto find = [&]() -> const ChunkFinder& { return finder; };
  const std::uint64_t along[] = {(dataset.dims[0] + dataset.chunk[0] - 1) / dataset.chunk[0],
                                 (dataset.dims[1] + dataset.chunk[1] - 1) / dataset.chunk[1]};
  Count count;
  unsigned wrong = 0;
  std::string stored;
  for (auto number = along[0] * along[1]; number-- > 0;) {
    const std::vector<std::uint64_t> at{number / along[1] * dataset.chunk[0], number % along[1] * dataset.chunk[1]};
    stored.resize(reader.chunk_bytes(at));
    std::optional<std::uint32_t> read;
    if (!stored.empty()) read = reader.read_chunk(at, reinterpret_cast<std::byte*>(stored.data()));
    const auto skipped = read.value_or(~0u);
    const auto chunk = index.at(number, find);
    ++(read ? count.there : count.absent);
    count.skipped += read && skipped != 0;
    wrong += chunk.has_value() != read.has_value();
    if (chunk && read) wrong += chunk->skipped != skipped || bytes_of(path, *chunk) != stored;
  }
  BOOST_TEST(wrong == 0u, path << " " << dataset.path << ": " << wrong << " of " << along[0] * along[1]);
  return count;
}

BOOST_AUTO_TEST_CASE(every_kind_of_index_tells_what_hdf5_reads) {
  for (const auto* name : {"indexes.h5", "indexes_block.h5", "indexes_new.h5", "indexes_new_block.h5"}) {
    const auto path = fixture(name);
    const auto file = open_file(path);
    unsigned datasets = 0, skipped = 0, absent = 0;
    for (const auto& dataset : describe_datasets(file)) {
      const auto count = compare(path, file, dataset);
      BOOST_TEST(count.there > 0u, dataset.path);
      if (!dataset.path.starts_with("sparse_")) BOOST_TEST(count.absent == 0u, dataset.path);
      skipped += count.skipped, absent += count.absent, ++datasets;
    }
    BOOST_TEST(datasets == 41u);
    BOOST_TEST(skipped == 6u);
    BOOST_TEST(absent > 4u * 2000u);
  }
}

BOOST_AUTO_TEST_CASE(a_chunk_is_looked_up_once) {
  const auto path = fixture("indexes_new.h5");
  const auto dataset = describe_dataset(open_file(path), "sparse_fixed_50_gzip");
  const ChunkFinder finder(path, dataset);
  ChunkIndex index(dataset);
  unsigned asked = 0;
  const auto find = [&]() -> const ChunkFinder& { return ++asked, finder; };
  const auto there = index.at(3, find), absent = index.at(5, find);
  BOOST_TEST(there.has_value());
  BOOST_TEST(!absent.has_value());
  const auto before = asked;
  BOOST_TEST((index.at(3, find) == there));
  BOOST_TEST((index.at(5, find) == absent));
  BOOST_TEST(asked == before);
  BOOST_TEST(index.bytes() > 0u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_is_an_error) {
  DatasetInfo dataset;
  dataset.path = "x";
  BOOST_CHECK_THROW(ChunkFinder(fixture("missing.h5"), dataset), Error);
  BOOST_CHECK_THROW(ChunkFinder(fixture("text.h5"), dataset), Error);
  BOOST_CHECK_THROW(ChunkFinder(fixture("truncated.h5"), dataset), Error);
  BOOST_CHECK_THROW(ChunkFinder(fixture("indexes.h5"), dataset), Error);
}

BOOST_AUTO_TEST_SUITE_END()
