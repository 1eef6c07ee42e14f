// TFRecord files of tf.train.Example messages: what TensorFlow reads. Pure; any thread.
//
//   record    u64 length, u32 masked CRC32C of these 8 bytes, payload, u32 masked CRC32C of the payload; little-endian
//   payload   Example{features{map name -> Feature}}, numbers packed: floats of 4 bytes, integers as varints
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace headrace::formats {

/// A list of numbers under a name; each record has as many of it.
struct Feature {
  std::string name;
  enum class Kind { floats, integers } kind = Kind::floats;
  std::uint64_t count = 1;
};

/// Makes records of the same features. Keeps what is the same in all.
class ExampleEncoder {
 public:
  explicit ExampleEncoder(std::vector<Feature> features);

  const std::vector<Feature>& features() const { return features_; }
  /// `rows` records. values: of each feature all rows, float32 or int64. They stand in the memory, which grows as it
  /// must and is not cleared: kept from call to call, it costs nothing.
  std::span<const std::byte> encode(std::size_t rows, std::span<const std::byte* const> values,
                                    std::vector<std::byte>& memory) const;

 private:
  /// What stands before a feature's values that have no length of their own to tell.
  struct Framed {
    std::vector<std::byte> before;  ///< floats: all up to the first of them
    std::uint64_t bytes = 0;        ///< floats: of the whole entry
  };
  std::vector<Feature> features_;
  std::vector<Framed> framed_;
};

/// The checksum as TFRecords store it.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace headrace::formats
