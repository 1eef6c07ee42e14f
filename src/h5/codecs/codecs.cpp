#include "h5/codecs/codecs.hpp"

#include <blosc.h>
#include <bzlib.h>
#include <hdf5.h>
#include <lz4.h>
#include <lzf.h>
#include <zstd.h>
extern "C" {  // which its header forgets
#include <szlib.h>
}

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "base/narrow.hpp"
#include "h5/codecs/big_endian.hpp"
#include "h5/codecs/bitshuffle.hpp"
#include "h5/codecs/plugins.hpp"

namespace headrace::h5::codecs {

namespace {

using Values = Codec::Values;
using Bytes = Codec::Bytes;
using Room = std::span<std::byte>;

[[noreturn]] void throw_damaged(const char* filter) {
  throw Error(std::string("a chunk cannot be decompressed by ") + filter + "; the file is damaged");
}

[[noreturn]] void throw_overfull() {
  throw Overfull("a chunk holds more than its shape allows; the file is damaged");
}

template <class To, class From>
To* as(From* bytes) {
  return reinterpret_cast<To*>(bytes);
}

std::size_t unknown_length(Values, Bytes) {
  return 0;
}

// The third parameter is the size of a whole chunk.
std::size_t lzf_length(Values values, Bytes) {
  return values.size() >= 3 ? values[2] : 0;
}

std::size_t undo_lzf(Values, Bytes from, Room to) {
  const auto length =
      lzf_decompress(from.data(), narrow<unsigned>(from.size()), to.data(), narrow<unsigned>(to.size()));
  if (length != 0) return length;
  if (errno == E2BIG) throw_overfull();
  throw_damaged("LZF");
}

// u64 length and u32 block length, big-endian; then per block its u32 stored length and the bytes, which stand as they
// are where the two lengths are the same. The last block is shorter.
constexpr std::size_t lz4_header = 12;

std::size_t lz4_length(Values, Bytes from) {
  if (from.size() < lz4_header) throw_damaged("LZ4");
  return big_endian<std::uint64_t>(from);
}

std::size_t undo_lz4(Values values, Bytes from, Room to) {
  const auto total = lz4_length(values, from);
  const std::size_t block = std::min<std::size_t>(big_endian<std::uint32_t>(from.subspan(8)), total);
  if (total > to.size()) throw_overfull();
  if (block == 0 && total > 0) throw_damaged("LZ4");
  from = from.subspan(lz4_header);
  for (std::size_t done = 0; done < total;) {
    const auto plain = std::min(block, total - done);
    if (from.size() < 4) throw_damaged("LZ4");
    const std::size_t stored = big_endian<std::uint32_t>(from);
    from = from.subspan(4);
    if (stored > from.size()) throw_damaged("LZ4");
    if (stored == plain)
      std::copy_n(from.data(), plain, to.data() + done);
    else if (LZ4_decompress_safe(as<const char>(from.data()), as<char>(to.data() + done), narrow<int>(stored),
                                 narrow<int>(plain)) != static_cast<int>(plain))
      throw_damaged("LZ4");
    from = from.subspan(stored);
    done += plain;
  }
  return total;
}

std::size_t zstd_length(Values, Bytes from) {
  const auto length = ZSTD_getFrameContentSize(from.data(), from.size());
  if (length == ZSTD_CONTENTSIZE_ERROR) throw_damaged("Zstandard");
  return length == ZSTD_CONTENTSIZE_UNKNOWN ? 0 : length;
}

std::size_t undo_zstd(Values, Bytes from, Room to) {
  if (const auto length = zstd_length({}, from); length > to.size()) throw_overfull();
  const auto length = unzstd(from, to);
  if (!length) throw_damaged("Zstandard");
  return *length;
}

std::size_t undo_bzip2(Values, Bytes from, Room to) {
  auto length = narrow<unsigned>(to.size());
  const int outcome = BZ2_bzBuffToBuffDecompress(as<char>(to.data()), &length,
                                                 const_cast<char*>(as<const char>(from.data())),  // only read
                                                 narrow<unsigned>(from.size()), 0, 0);
  if (outcome == BZ_OUTBUFF_FULL) throw_overfull();
  if (outcome != BZ_OK) throw_damaged("bzip2");
  return length;
}

std::size_t blosc_length(Values, Bytes from) {
  std::size_t length = 0;
  if (from.size() < BLOSC_MIN_HEADER_LENGTH || blosc_cbuffer_validate(from.data(), from.size(), &length) < 0)
    throw_damaged("Blosc");
  return length;
}

std::size_t undo_blosc(Values values, Bytes from, Room to) {
  const auto length = blosc_length(values, from);
  if (length > to.size()) throw_overfull();
  if (length == 0) return 0;
  if (blosc_decompress_ctx(from.data(), to.data(), to.size(), 1) != static_cast<int>(length)) throw_damaged("Blosc");
  return length;
}

// u32 length, little-endian, then the stream. Parameters: mask of options, pixels per block, bits per pixel, pixels per
// scan line.
std::size_t szip_length(Values values, Bytes from) {
  if (from.size() < 4 || values.size() < 4) throw_damaged("szip");
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length |= std::to_integer<std::size_t>(from[i]) << (8 * i);
  return length;
}

std::size_t undo_szip(Values values, Bytes from, Room to) {
  auto length = szip_length(values, from);
  if (length > to.size()) throw_overfull();
  const auto expected = length;
  SZ_com_t parameters{narrow<int>(values[0]), narrow<int>(values[2]), narrow<int>(values[1]), narrow<int>(values[3])};
  if (SZ_BufftoBuffDecompress(to.data(), &length, from.data() + 4, from.size() - 4, &parameters) != SZ_OK ||
      length != expected)
    throw_damaged("szip");
  return length;
}

std::unique_ptr<const Codec> make(int filter) {
  const auto codec = [](auto length, auto undo) { return std::make_unique<const Codec>(Codec{length, undo}); };
  switch (filter) {
    case filter_lzf:
      return codec(lzf_length, undo_lzf);
    case filter_lz4:
      return codec(lz4_length, undo_lz4);
    case filter_zstd:
      return codec(zstd_length, undo_zstd);
    case filter_bzip2:
      return codec(unknown_length, undo_bzip2);
    case filter_blosc:
      return codec(blosc_length, undo_blosc);
    case filter_bitshuffle:
      return codec(bitshuffle_length, undo_bitshuffle);
    case H5Z_FILTER_SZIP:
      return codec(szip_length, undo_szip);
    case filter_blosc2:
      if (auto undo = plugin_function(filter)) return codec(unknown_length, std::move(undo));
      return nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

const Codec* codec_of(int filter) {
  static Mutex mutex;
  static std::map<int, std::unique_ptr<const Codec>> made;
  const Lock lock(mutex);
  auto [found, is_new] = made.try_emplace(filter);
  if (is_new) found->second = make(filter);
  return found->second.get();
}

}  // namespace headrace::h5::codecs
