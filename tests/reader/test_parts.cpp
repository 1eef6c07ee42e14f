// The arithmetic of reading: pieces of files, tiling by chunks, filters undone, work shared among threads.
#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>
#include <set>

#include "reader/crew.hpp"
#include "reader/decode.hpp"
#include "reader/grid.hpp"
#include "reader/pieces.hpp"
#include "reader/route.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::reader;

BOOST_AUTO_TEST_SUITE(parts)

BOOST_AUTO_TEST_CASE(intervals_cut_at_files) {
  FileInfo file;
  file.first_sample = 100;
  file.samples = 50;
  const std::vector<Interval> mine{{0, 20}, {90, 110}, {120, 121}, {140, 200}, {200, 300}};
  BOOST_TEST((pieces_in(file, mine) == std::vector<Piece>{{0, 10, 100}, {20, 1, 120}, {40, 10, 140}}));
}

BOOST_AUTO_TEST_CASE(cutting_is_complete_bounded_and_aligned) {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 2000; ++trial) {
    const Piece piece{random() % 100, 1 + random() % 200, random() % 1000};
    const auto most = random() % 60, align = 1 + random() % 20;
    std::uint64_t row = piece.row;
    for (const auto& part : cut(piece, most, align)) {
      BOOST_TEST(part.row == row);
      BOOST_TEST(part.sample - piece.sample == row - piece.row);
      BOOST_TEST(part.rows <= std::max<std::uint64_t>(1, most));
      BOOST_TEST(part.rows > 0u);
      row += part.rows;
      if (most >= align && row != piece.row + piece.rows) BOOST_TEST(row % align == 0u);
    }
    BOOST_TEST(row == piece.row + piece.rows);
  }
}

BOOST_AUTO_TEST_CASE(as_many_rows_at_once_as_bytes_and_chunks_allow) {
  h5::DatasetInfo dataset;
  dataset.dims = {1u << 30, 100};
  dataset.type.size = 4;
  dataset.layout = h5::Layout::contiguous;
  BOOST_TEST(rows_at_once(dataset, 1u << 20) == (1u << 20) / 400);
  BOOST_TEST(rows_at_once(dataset, 1) == 1u);
  dataset.layout = h5::Layout::chunked;
  dataset.chunk = {64, 100};
  BOOST_TEST(rows_at_once(dataset, 1u << 20) == (1u << 20) / 400);
  dataset.chunk = {3, 10};  // ten beside each other: 65,536 chunks are 6,553 times three rows
  BOOST_TEST(rows_at_once(dataset, 1u << 20) == (1u << 20) / 400);
  BOOST_TEST(rows_at_once(dataset, 1u << 30) == 6553u * 3);
  dataset.dims = {1u << 30, 1u << 20};
  dataset.chunk = {2, 1};  // a row is in more
  BOOST_TEST(rows_at_once(dataset, 1u << 30) == 2u);
}

BOOST_AUTO_TEST_CASE(chunks_tile_rows_of_any_shape) {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 500; ++trial) {
    h5::DatasetInfo dataset;
    dataset.type.size = 1 + random() % 8;
    std::uint64_t row_elements = 1;
    for (std::size_t d = 0, rank = 1 + random() % 4; d < rank; ++d) {
      dataset.dims.push_back(1 + random() % 9);
      dataset.chunk.push_back(1 + random() % 10);
      if (d > 0) row_elements *= dataset.dims[d];
    }
    const Grid grid(dataset);
    const auto rows = std::min(dataset.dims[0], dataset.chunk[0]), size = dataset.type.size;
    const auto from = random() % rows, count = 1 + random() % (rows - from);
    std::vector<std::byte> to(count * row_elements * size, std::byte{0xff});
    for (std::uint64_t i = 0; i < grid.chunks_per_band(); ++i) {
      // A chunk in which each element is its place within the row and the row, by plain index arithmetic.
      const auto first = grid.at(0, i);
      std::vector<std::byte> chunk(grid.chunk_bytes(), std::byte{0xee});
      for (std::uint64_t k = 0; k < grid.chunk_bytes() / size; ++k) {
        std::uint64_t rest = k, place = 0, stride = 1;
        bool inside = true;
        for (std::size_t d = dataset.dims.size(); d-- > 0;) {
          const auto index = first[d] + rest % dataset.chunk[d];
          rest /= dataset.chunk[d];
          inside = inside && (d == 0 || index < dataset.dims[d]);
          place += index * stride;
          stride *= dataset.dims[d];
        }
        if (inside) std::fill_n(chunk.begin() + static_cast<std::ptrdiff_t>(k * size), size, std::byte(place % 199));
      }
      grid.scatter(i, chunk.data(), from, count, to.data());
    }
    std::uint64_t wrong = 0;
    for (std::size_t b = 0; b < to.size(); ++b) wrong += to[b] != std::byte((b / size + from * row_elements) % 199);
    BOOST_TEST(wrong == 0u, h5::shape_text(dataset.dims) << " in chunks " << h5::shape_text(dataset.chunk));
  }
}

static std::vector<std::byte> some_bytes(std::size_t n) {
  std::vector<std::byte> bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * i / 7);
  return bytes;
}

BOOST_AUTO_TEST_CASE(unshuffling_inverts_shuffling) {
  for (const std::size_t size : {1u, 2u, 3u, 4u, 8u, 12u})
    for (const std::size_t length : {0u, 5u, 24u, 1000u, 1003u}) {
      const auto plain = some_bytes(length);
      const auto n = length / size;
      auto shuffled = plain;  // what does not make a whole element stays at the end
      for (std::size_t k = 0; k < n; ++k)
        for (std::size_t i = 0; i < size; ++i) shuffled[i * n + k] = plain[k * size + i];
      std::vector<std::byte> back(length);
      unshuffle(shuffled, size, back.data());
      BOOST_TEST((back == plain));
    }
}

static std::vector<std::byte> deflated(const std::vector<std::byte>& plain) {
  uLongf length = compressBound(plain.size());
  std::vector<std::byte> stored(length);
  compress(reinterpret_cast<Bytef*>(stored.data()), &length, reinterpret_cast<const Bytef*>(plain.data()),
           plain.size());
  stored.resize(length);
  return stored;
}

BOOST_AUTO_TEST_CASE(damage_is_noticed) {
  const auto plain = some_bytes(4000);
  const std::vector<h5::Filter> gzip{{H5Z_FILTER_DEFLATE, "gzip", {4}, true}};
  auto stored = deflated(plain);
  Decoder decoder;
  std::vector<std::byte> out(plain.size());
  decoder.decode(gzip, 0, stored, out);
  BOOST_TEST((out == plain));
  decoder.decode(gzip, 1, plain, out);  // the filter was skipped
  BOOST_TEST((out == plain));
  out.resize(plain.size() - 1);
  BOOST_CHECK_THROW(decoder.decode(gzip, 0, stored, out), Error);
  out.resize(plain.size() + 1);
  BOOST_CHECK_THROW(decoder.decode(gzip, 0, stored, out), Error);
  out.resize(plain.size());
  stored[stored.size() / 2] ^= std::byte{0x40};
  BOOST_CHECK_THROW(decoder.decode(gzip, 0, stored, out), Error);
  stored.resize(3);
  BOOST_CHECK_THROW(decoder.decode(gzip, 0, stored, out), Error);
  const std::vector<h5::Filter> lzf{{h5::codecs::filter_lzf, "lzf", {4, 261, 4000}, true}};
  BOOST_CHECK_THROW(decoder.decode(lzf, 0, std::vector<std::byte>(30, std::byte{0xff}), out), Error);
  const std::vector<h5::Filter> sum{{H5Z_FILTER_FLETCHER32, "fletcher32", {}, true}};
  BOOST_CHECK_THROW(decoder.decode(sum, 0, plain, std::span(out).first(3996)), Error);
  BOOST_CHECK_THROW(decoder.decode(sum, 0, std::span(plain).first(2), out), Error);
}

// Whatever stands between two filters that need memory of their own.
BOOST_AUTO_TEST_CASE(checksums_between_filters) {
  const auto packed = [](std::vector<std::byte> from) {
    std::vector<std::byte> to(compressBound(from.size()));
    auto length = static_cast<uLongf>(to.size());
    compress(reinterpret_cast<Bytef*>(to.data()), &length, reinterpret_cast<const Bytef*>(from.data()), from.size());
    to.resize(length);
    return to;
  };
  const auto summed = [](std::vector<std::byte> from) {
    const auto sum = fletcher32(from);
    for (int i = 0; i < 4; ++i) from.push_back(static_cast<std::byte>(sum >> (8 * i)));
    return from;
  };
  std::vector<std::byte> plain(5000);
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::byte>(i * i % 7);
  const h5::Filter gzip{H5Z_FILTER_DEFLATE, "gzip", {}, true}, sum{H5Z_FILTER_FLETCHER32, "fletcher32", {}, true};
  Decoder decoder;
  std::vector<std::byte> out(plain.size());
  for (int turn = 0; turn < 2; ++turn) {
    std::ranges::fill(out, std::byte{0});
    decoder.decode(std::vector{gzip, sum, gzip}, 0, packed(summed(packed(plain))), out);
    BOOST_TEST((out == plain));
    std::ranges::fill(out, std::byte{0});
    decoder.decode(std::vector{sum, gzip, sum, sum, gzip, gzip}, 0,
                   packed(packed(summed(summed(packed(summed(plain)))))), out);
    BOOST_TEST((out == plain));
  }
}

BOOST_AUTO_TEST_CASE(a_crew_does_every_job_once) {
  for (const unsigned threads : {1u, 2u, 4u}) {
    Crew crew(threads);
    std::mutex mutex;
    std::multiset<int> done;
    for (int i = 0; i < 500; ++i)
      crew.add(crew.bench(), 3, [&, i](Bench& bench) {
        bench.plain.resize(10);
        const std::lock_guard lock(mutex);
        done.insert(i);
      });
    crew.finish();
    BOOST_TEST(done.size() == 500u);
    BOOST_TEST(std::set<int>(done.begin(), done.end()).size() == 500u);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_job_ends_the_work) {
  for (const unsigned threads : {1u, 3u}) {
    Crew crew(threads);
    const auto work = [&] {
      for (int i = 0; i < 1000; ++i)
        crew.add(crew.bench(), 4, [i](Bench&) {
          if (i == 20) throw Error("job 20");
        });
      crew.finish();
    };
    BOOST_CHECK_EXCEPTION(work(), Error, [](const Error& e) { return std::string(e.what()) == "job 20"; });
  }
}

BOOST_AUTO_TEST_SUITE_END()
