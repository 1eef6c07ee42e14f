// Filter 32008: elements cut into their bits, all first bits of a block of elements before all second bits, and so on;
// then, perhaps, LZ4 or Zstandard. Any thread.
//
// Parameters in the file: two version numbers, bytes of an element, elements of a block (0: some 8 KiB), and which
// compression follows (0 none, 2 LZ4, 3 Zstandard). With compression: u64 length and u32 block length in bytes,
// big-endian, then per block its u32 stored length and the bytes. What does not make eight elements stands at the end,
// as it is.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "h5/codecs/codec.hpp"

namespace headrace::h5::codecs {

std::size_t bitshuffle_length(Codec::Values values, Codec::Bytes from);
std::size_t undo_bitshuffle(Codec::Values values, Codec::Bytes from, std::span<std::byte> to);

/// One Zstandard frame; nothing where it is damaged or does not fit.
std::optional<std::size_t> unzstd(Codec::Bytes from, std::span<std::byte> to);

/// A block: bit k of byte j of element e is bit e % 8 of from[(8 * j + k) * elements / 8 + e / 8]. `elements` is a
/// multiple of 8.
void unbitshuffle(const std::byte* from, std::size_t elements, std::size_t element_bytes, std::byte* to);

}  // namespace headrace::h5::codecs
