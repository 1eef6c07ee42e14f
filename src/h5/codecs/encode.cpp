#include "h5/codecs/encode.hpp"

#include <blosc.h>
#include <lz4.h>
#include <lzf.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "base/narrow.hpp"

namespace headrace::h5::codecs {

namespace {

using Input = std::span<const std::byte>;
using Out = std::vector<std::byte>;

constexpr unsigned lzf_filter_revision = 4, lzf_version = 0x0105;  // as h5py writes them
constexpr std::size_t most_lz4_block = std::size_t{1} << 30;

template <std::size_t Size>
void shuffle_known(const std::byte* from, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t b = 0; b < Size; ++b) to[b * count + i] = from[i * Size + b];
}

void shuffle(Input from, std::size_t size, std::byte* to) {
  const auto count = from.size() / size;
  switch (size) {
    case 2:
      return shuffle_known<2>(from.data(), count, to);
    case 4:
      return shuffle_known<4>(from.data(), count, to);
    case 8:
      return shuffle_known<8>(from.data(), count, to);
    default:
      for (std::size_t b = 0; b < size; ++b)
        for (std::size_t i = 0; i < count; ++i) to[b * count + i] = from[i * size + b];
  }
  const auto whole = count * size;
  std::copy(from.begin() + static_cast<std::ptrdiff_t>(whole), from.end(), to + whole);
}

/// Each returns whether something was won.
bool gzip(Input from, int level, Out& out) {
  auto length = compressBound(from.size());
  out.resize(length);
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &length, reinterpret_cast<const Bytef*>(from.data()), from.size(),
                level) != Z_OK)
    throw Error("gzip failed (out of memory)");
  out.resize(length);
  return length < from.size();
}

bool lzf(Input from, Out& out) {
  out.resize(from.size());
  const auto length = from.size() < 2 ? 0
                                      : lzf_compress(from.data(), narrow<unsigned>(from.size()), out.data(),
                                                     narrow<unsigned>(from.size() - 1));
  out.resize(length);
  return length > 0;
}

void put_big_endian(std::byte* to, std::uint64_t number, int bytes) {
  for (int i = bytes; i-- > 0; number >>= 8) to[i] = static_cast<std::byte>(number & 0xff);
}

/// As codecs.cpp tells: lengths of all and of a block, then one block.
bool lz4(Input from, Out& out) {
  require(from.size() <= most_lz4_block, "a chunk of more than 1 GiB cannot be compressed by lz4; lower chunk");
  constexpr std::size_t header = 12, of_block = 4;
  out.resize(header + of_block + static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(from.size()))));
  put_big_endian(out.data(), from.size(), 8);
  put_big_endian(out.data() + 8, from.size(), 4);
  const int room = static_cast<int>(out.size() - header - of_block);
  const int length = LZ4_compress_default(reinterpret_cast<const char*>(from.data()),
                                          reinterpret_cast<char*>(out.data() + header + of_block),
                                          static_cast<int>(from.size()), room);
  if (length <= 0 || static_cast<std::size_t>(length) >= from.size()) return false;
  put_big_endian(out.data() + header, static_cast<std::uint64_t>(length), 4);
  out.resize(header + of_block + static_cast<std::size_t>(length));
  return out.size() < from.size();
}

bool zstd(Input from, int level, Out& out) {
  out.resize(ZSTD_compressBound(from.size()));
  const auto length = ZSTD_compress(out.data(), out.size(), from.data(), from.size(), level);
  if (ZSTD_isError(length) != 0) throw Error(std::string("zstd failed (") + ZSTD_getErrorName(length) + ")");
  out.resize(length);
  return length < from.size();
}

bool apply(const Encoding& encoding, Input from, Out& out) {
  switch (encoding.method) {
    case Method::gzip:
      return gzip(from, encoding.level, out);
    case Method::lzf:
      return lzf(from, out);
    case Method::lz4:
      return lz4(from, out);
    case Method::zstd:
      return zstd(from, encoding.level, out);
    case Method::none:
      break;
  }
  return false;
}

}  // namespace

std::vector<AppliedFilter> filters_of(const Encoding& encoding, std::size_t chunk_bytes) {
  std::vector<AppliedFilter> all;
  if (encoding.shuffles()) all.push_back({filter_shuffle, {narrow<unsigned>(encoding.element_bytes)}});
  switch (encoding.method) {
    case Method::none:
      break;
    case Method::gzip:
      all.push_back({filter_gzip, {static_cast<unsigned>(encoding.level)}});
      break;
    case Method::lzf:
      all.push_back({filter_lzf, {lzf_filter_revision, lzf_version, narrow<unsigned>(chunk_bytes)}});
      break;
    case Method::lz4:
      all.push_back({filter_lz4, {}});
      break;
    case Method::zstd:
      all.push_back({filter_zstd, {static_cast<unsigned>(encoding.level)}});
      break;
  }
  return all;
}

const std::size_t most_blosc_bytes = BLOSC_MAX_BUFFERSIZE;

std::vector<std::byte> encode_blosc(const std::string& within, int level, std::size_t element_bytes, Input chunk) {
  Out out(chunk.size() + BLOSC_MAX_OVERHEAD);
  constexpr std::size_t block_as_it_likes = 0;
  constexpr int threads = 1;
  const int length = blosc_compress_ctx(level, BLOSC_SHUFFLE, element_bytes, chunk.size(), chunk.data(), out.data(),
                                        out.size(), within.c_str(), block_as_it_likes, threads);
  if (length <= 0)
    throw Error("Blosc failed (" + std::to_string(chunk.size()) + " bytes by " + within + ", code " +
                std::to_string(length) + ")");
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::uint32_t encode(const Encoding& encoding, Input chunk, Out& out) {
  thread_local Out shuffled;
  auto from = chunk;
  if (encoding.shuffles()) {
    shuffled.resize(chunk.size());
    shuffle(chunk, encoding.element_bytes, shuffled.data());
    from = shuffled;
  }
  if (apply(encoding, from, out)) return 0;
  out.assign(from.begin(), from.end());
  return encoding.method == Method::none ? 0 : encoding.shuffles() ? 2 : 1;
}

}  // namespace headrace::h5::codecs
