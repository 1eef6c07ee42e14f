// Files as they are written: contiguous and chunked, read again by HDF5.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <numeric>

#include "base/crc32c.hpp"
#include "formats/chunked.hpp"
#include "formats/contiguous.hpp"
#include "formats/formats_fixture.hpp"
#include "h5/codecs/codec.hpp"
#include "h5/made/written.hpp"

namespace headrace::formats {

namespace {

using h5::codecs::Method;

const Schema schema{{.name = "x", .dtype = DType::int32, .shape = {3}}, {.name = "y", .dtype = DType::float64}};
constexpr std::uint64_t samples = 101, block_rows = 16;

struct Values {
  std::vector<std::int32_t> x = std::vector<std::int32_t>(3 * samples);
  std::vector<double> y = std::vector<double>(samples);
  Values() {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::int32_t>(i * i % 1001);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = 1.0 / static_cast<double>(i + 1);
  }
  std::vector<const std::byte*> rows(std::uint64_t first) const {
    return {reinterpret_cast<const std::byte*>(x.data() + 3 * first),
            reinterpret_cast<const std::byte*>(y.data() + first)};
  }
  std::vector<std::byte> bytes_of_x() const {
    const auto all = std::as_bytes(std::span(x));
    return {all.begin(), all.end()};
  }
};

std::vector<Table> tables() {
  return {table_of(schema, 0, "group/x", samples), table_of(schema, 1, "y", samples)};
}

std::vector<h5::NewDataset> datasets_of(const std::vector<Table>& all) {
  std::vector<h5::NewDataset> datasets;
  for (const auto& table : all) datasets.push_back(table.dataset);
  return datasets;
}

const std::vector<h5::NewAttribute> attributes{{"/", "datasets", std::string("group/x\ny")},
                                               {"group/x", "columns", std::vector<std::string>{"a", "b", "ç"}}};

std::vector<std::byte> read(const std::string& path, const std::string& dataset) {
  std::vector<std::byte> out;
  h5::WrittenFile(path).read(dataset, 0, samples, out);
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(files, FormatsFixture)

BOOST_AUTO_TEST_CASE(blocks_in_any_order_make_the_contiguous_file) {
  const auto part = path("a.part");
  const auto all = tables();
  std::vector<std::uint64_t> offsets;
  {
    h5::NewFile file(part, datasets_of(all), attributes);
    offsets = file.offsets();
    file.close();
  }
  const Values values;
  {
    BlockLog log(part, 0);
    ContiguousFile file(part, all, schema, offsets, log);
    for (const std::uint64_t block : {6, 0, 3, 1, 5, 2, 4}) {
      const auto first = block * block_rows;
      file.write(block, first, std::min(block_rows, samples - first), values.rows(first));
    }
    BOOST_TEST(read_blocks(part).empty());
    file.commit();
  }
  BOOST_TEST((read(part, "group/x") == values.bytes_of_x()));
  const auto blocks = read_blocks(part);
  BOOST_TEST(blocks.size() == 7u);
  const auto rows = values.rows(96);
  BOOST_TEST(blocks.at(6).crc == crc32c({rows[1], 5 * 8}, crc32c({rows[0], 5 * 12})));
}

// Headers of objects hold 64 KB, which are 4,094 texts.
BOOST_AUTO_TEST_CASE(attributes_of_many_names_are_written) {
  std::vector<h5::NewAttribute> many;
  for (const auto* object : {"/", "group", "group/x"})
    many.push_back({object, "names", std::vector<std::string>(20'000, "one")});
  const auto all = datasets_of(tables());
  h5::NewFile file(path("many.h5"), all, many);
  BOOST_TEST(file.offsets()[0] > 0u);
  file.close();
  h5::NewFile again(path("many.h5"), all);
  again.add({"/", "complete", std::int64_t{1}});
  again.close();
  const std::vector<h5::PartFile> parts{{"many.h5", samples}};
  h5::write_virtual(path("virtual.h5"), all, parts, many);
}

BOOST_AUTO_TEST_CASE(every_compression_reads_back_and_the_same_blocks_make_the_same_bytes) {
  const Values values;
  for (const auto method : {Method::gzip, Method::lzf, Method::lz4, Method::zstd}) {
    std::vector<std::string> paths{path("1.h5"), path("2.h5")};
    std::vector<StoredChunk> places;
    for (const auto& name : paths) {
      auto all = tables();
      const auto encodings = chunk_tables(all, method, 3, 100, block_rows);
      BOOST_TEST(all[0].dataset.chunk_rows == 8u);
      BOOST_TEST(all[1].dataset.chunk_rows == 8u);
      h5::NewFile file(name, datasets_of(all), attributes);
      for (std::uint64_t block = 0; block < 7; ++block) {
        const auto first = block * block_rows, rows = std::min(block_rows, samples - first);
        const auto made = encode(block, first, rows, all, encodings, schema, values.rows(first));
        const auto sent = EncodedBlock::unpack(made.pack());
        BOOST_TEST((sent.bytes == made.bytes));
        const auto entry = put(file, all, first, rows, sent);
        places.push_back(entry.chunks.front());
      }
      file.close();
      BOOST_TEST((read(name, "group/x") == values.bytes_of_x()), static_cast<int>(method));
    }
    for (std::size_t i = 0; i < 7; ++i) BOOST_TEST((places[i] == places[i + 7]));
  }
}

BOOST_AUTO_TEST_CASE(a_message_that_is_cut_off_is_an_error) {
  const Values values;
  auto all = tables();
  const auto encodings = chunk_tables(all, Method::lz4, 0, 100, block_rows);
  auto message = encode(0, 0, block_rows, all, encodings, schema, values.rows(0)).pack();
  message.resize(30);
  BOOST_CHECK_THROW(EncodedBlock::unpack(message), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::formats
