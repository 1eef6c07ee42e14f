#include "formats/tfrecord.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/crc32c.hpp"

namespace headrace::formats {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::byte field_1{0x0a}, field_2{0x12}, field_3{0x1a};  // of messages: number and "with a length"
constexpr std::size_t longest_varint = 10;

std::size_t varint_bytes(std::uint64_t value) {
  return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

std::byte* put_varint(std::byte* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>(value | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}

std::byte* put(std::byte* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return to + bytes;
}

/// Of a message field with a length: its bytes, that which tells the length included.
std::uint64_t framed(std::uint64_t length) {
  return 1 + varint_bytes(length) + length;
}

/// The lengths of an entry's nested messages, from the inside.
struct Lengths {
  std::uint64_t list, feature, entry;
  Lengths(const Feature& of, std::uint64_t packed)
      : list(packed > 0 ? framed(packed) : 0), feature(framed(list)), entry(framed(of.name.size()) + framed(feature)) {}
};

/// All of an entry but the numbers.
std::byte* put_before(std::byte* to, const Feature& of, const Lengths& lengths, std::uint64_t packed) {
  *to++ = field_1;
  to = put_varint(to, lengths.entry);
  *to++ = field_1;
  to = put_varint(to, of.name.size());
  to = put(to, of.name.data(), of.name.size());
  *to++ = field_2;
  to = put_varint(to, lengths.feature);
  *to++ = of.kind == Feature::Kind::floats ? field_2 : field_3;
  to = put_varint(to, lengths.list);
  if (packed > 0) {
    *to++ = field_1;
    to = put_varint(to, packed);
  }
  return to;
}

std::int64_t integer_at(const std::byte* from, std::size_t place) {
  std::int64_t value;
  std::memcpy(&value, from + place * sizeof value, sizeof value);
  return value;
}

std::uint64_t packed_integers(const std::byte* from, std::uint64_t count) {
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < count; ++i) bytes += varint_bytes(static_cast<std::uint64_t>(integer_at(from, i)));
  return bytes;
}

}  // namespace

std::uint32_t masked_crc32c(std::span<const std::byte> bytes) {
  const auto crc = crc32c(bytes);
  return std::rotr(crc, 15) + 0xa282ead8u;
}

ExampleEncoder::ExampleEncoder(std::vector<Feature> features) : features_(std::move(features)) {
  for (const auto& feature : features_) {
    Framed framed_feature;
    if (feature.kind == Feature::Kind::floats) {
      const auto packed = feature.count * sizeof(float);
      const Lengths lengths(feature, packed);
      framed_feature.before.resize(feature.name.size() + 8 * (longest_varint + 1));
      const auto* end = put_before(framed_feature.before.data(), feature, lengths, packed);
      framed_feature.before.resize(static_cast<std::size_t>(end - framed_feature.before.data()));
      framed_feature.bytes = framed(lengths.entry);
    }
    framed_.push_back(std::move(framed_feature));
  }
}

std::span<const std::byte> ExampleEncoder::encode(std::size_t rows, std::span<const std::byte* const> values,
                                                  std::vector<std::byte>& memory) const {
  std::vector<std::uint64_t> packed(features_.size());
  std::size_t used = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint64_t all = 0;
    for (std::size_t f = 0; f < features_.size(); ++f) {
      const auto& feature = features_[f];
      if (feature.kind == Feature::Kind::floats) {
        all += framed_[f].bytes;
        continue;
      }
      packed[f] = packed_integers(values[f] + row * feature.count * sizeof(std::int64_t), feature.count);
      all += framed(Lengths(feature, packed[f]).entry);
    }
    const std::uint64_t length = framed(all);
    constexpr std::size_t head = 12, tail = 4;
    const auto end = used + head + length + tail;
    if (memory.size() < end) memory.resize(std::max(end, 2 * memory.size()));
    auto* const begin = memory.data() + used;
    auto* to = put(begin, &length, sizeof length);
    const auto of_length = masked_crc32c({begin, sizeof length});
    to = put(to, &of_length, sizeof of_length);
    *to++ = field_1;
    to = put_varint(to, all);
    for (std::size_t f = 0; f < features_.size(); ++f) {
      const auto& feature = features_[f];
      if (feature.kind == Feature::Kind::floats) {
        to = put(to, framed_[f].before.data(), framed_[f].before.size());
        const auto bytes = feature.count * sizeof(float);
        to = put(to, values[f] + row * bytes, bytes);
        continue;
      }
      to = put_before(to, feature, Lengths(feature, packed[f]), packed[f]);
      const auto* from = values[f] + row * feature.count * sizeof(std::int64_t);
      for (std::uint64_t i = 0; i < feature.count; ++i)
        to = put_varint(to, static_cast<std::uint64_t>(integer_at(from, i)));
    }
    const auto of_payload = masked_crc32c({begin + head, length});
    put(to, &of_payload, sizeof of_payload);
    used = end;
  }
  return {memory.data(), used};
}

}  // namespace headrace::formats
