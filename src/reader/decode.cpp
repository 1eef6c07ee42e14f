#include "reader/decode.hpp"

#include <algorithm>
#include <cstring>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"
#include "h5/codecs/codecs.hpp"

namespace headrace::reader {

namespace {

constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t middle_bytes = 4096;

std::span<const std::byte> checked(std::span<const std::byte> from) {
  require(from.size() >= checksum_bytes, "a chunk is shorter than its checksum; the file is damaged");
  const auto data = from.first(from.size() - checksum_bytes);
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < checksum_bytes; ++i)
    stored |= std::to_integer<std::uint32_t>(from[data.size() + i]) << (8 * i);
  const auto sum = fletcher32(data);
  // Files written before HDF5 1.6.3 on little-endian machines hold the bytes of each half swapped.
  const auto swapped = ((sum & 0x00ff00ffu) << 8) | ((sum & 0xff00ff00u) >> 8);
  require(stored == sum || stored == swapped, "a chunk does not match its checksum; the file is damaged");
  return data;
}

template <std::size_t Size>
void unshuffle_fixed(const std::byte* from, std::size_t n, std::byte* to) {
  for (std::size_t k = 0; k < n; ++k)
    for (std::size_t i = 0; i < Size; ++i) to[k * Size + i] = from[i * n + k];
}

}  // namespace

void unshuffle(std::span<const std::byte> from, std::size_t size, std::byte* to) {
  EXPECTS(size > 0);
  const auto n = from.size() / size;
  switch (size) {
    case 2:
      unshuffle_fixed<2>(from.data(), n, to);
      break;
    case 4:
      unshuffle_fixed<4>(from.data(), n, to);
      break;
    case 8:
      unshuffle_fixed<8>(from.data(), n, to);
      break;
    default:
      for (std::size_t i = 0; i < size; ++i)
        for (std::size_t k = 0; k < n; ++k) to[k * size + i] = from[i * n + k];
  }
  std::copy(from.begin() + static_cast<std::ptrdiff_t>(n * size), from.end(), to + n * size);
}

std::uint32_t fletcher32(std::span<const std::byte> bytes) {
  const auto fold = [](std::uint32_t sum) { return (sum & 0xffff) + (sum >> 16); };
  std::uint32_t sum1 = 0, sum2 = 0;
  const auto even = bytes.size() / 2 * 2;
  for (std::size_t at = 0; at < even;) {
    const auto end = std::min(even, at + 720);  // 360 words fit before the sums must be folded
    for (; at < end; at += 2) {
      sum1 += std::to_integer<std::uint32_t>(bytes[at]) << 8 | std::to_integer<std::uint32_t>(bytes[at + 1]);
      sum2 += sum1;
    }
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  if (even < bytes.size()) {
    sum1 += std::to_integer<std::uint32_t>(bytes[even]) << 8;
    sum2 += sum1;
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  return fold(sum2) << 16 | fold(sum1);
}

Decoder::~Decoder() {
  if (zlib_ready_) inflateEnd(&zlib_);
}

bool Decoder::knows(int filter) {
  return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32 ||
         h5::codecs::codec_of(filter) != nullptr;
}

std::size_t Decoder::inflate(std::span<const std::byte> from, std::span<std::byte> to) {
  if (!zlib_ready_) {
    require(inflateInit(&zlib_) == Z_OK, "zlib cannot start");
    zlib_ready_ = true;
  }
  inflateReset(&zlib_);
  zlib_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data()));  // zlib's C interface; only read
  zlib_.avail_in = narrow<uInt>(from.size());
  zlib_.next_out = reinterpret_cast<Bytef*>(to.data());
  zlib_.avail_out = narrow<uInt>(to.size());
  require(::inflate(&zlib_, Z_FINISH) == Z_STREAM_END, "a chunk cannot be inflated; the file is damaged");
  return to.size() - zlib_.avail_out;
}

std::span<const std::byte> Decoder::undo(const h5::Filter& filter, std::span<const std::byte> from,
                                         std::span<std::byte> to) {
  switch (filter.id) {
    case H5Z_FILTER_FLETCHER32:
      return checked(from);
    case H5Z_FILTER_DEFLATE:
      return to.first(inflate(from, to));
    case H5Z_FILTER_SHUFFLE: {
      const std::size_t size = filter.values.empty() ? 1 : filter.values[0];
      if (size <= 1) return from;
      require(from.size() <= to.size(), "a chunk holds more than its shape allows; the file is damaged");
      unshuffle(from, size, to.data());
      return to.first(from.size());
    }
    default: {
      const auto* codec = h5::codecs::codec_of(filter.id);
      require(codec != nullptr, "filter " + std::to_string(filter.id) + " is unknown here");
      return to.first(codec->undo(filter.values, from, to));
    }
  }
}

void Decoder::decode(std::span<const h5::Filter> filters, std::uint32_t skipped, std::span<const std::byte> stored,
                     std::span<std::byte> plain) {
  std::vector<const h5::Filter*> order;  // the last one applied is undone first
  for (auto i = filters.size(); i-- > 0;)
    if ((skipped >> i & 1u) == 0) order.push_back(&filters[i]);
  auto now = stored;
  std::size_t holder = 2;  // which scratch holds the bytes, if one does
  for (std::size_t step = 0; step < order.size(); ++step) {
    const std::size_t other = holder == 0 ? 1 : 0;
    auto to = plain;
    if (step + 1 < order.size()) {
      // What a filter could not shrink has grown by its headers or checksums, so that middle steps need more room.
      scratch_[other].resize(std::max(scratch_[other].size(), 2 * plain.size() + middle_bytes));
      to = scratch_[other];
    }
    now = undo(*order[step], now, to);
    if (now.data() == scratch_[other].data()) holder = other;  // a checksum leaves the bytes where they are
  }
  require(now.size() == plain.size(), "a chunk has " + std::to_string(now.size()) + " bytes instead of " +
                                          std::to_string(plain.size()) + "; the file is damaged");
  if (now.data() != plain.data()) std::memcpy(plain.data(), now.data(), plain.size());
}

}  // namespace headrace::reader
