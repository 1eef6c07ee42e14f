// CRC32C (Castagnoli), the checksum of TFRecords, iSCSI and ext4: by the processor's instruction where it has one.
// Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace headrace {

/// The checksum of what `before` is the checksum of (nothing: 0) and these bytes behind it.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// The same by Boost alone, as machines without the instruction compute it.
std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace headrace
