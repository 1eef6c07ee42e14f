#include "inventory/decoders/zip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::inventory {

namespace {

[[noreturn]] void damaged() {
  throw Error("it is no ZIP archive, or a damaged one");
}

/// Little-endian numbers of an archive; beyond its end: damage.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> all) : all_(all) {}
  std::uint64_t number(std::uint64_t at, unsigned width) const {
    const auto part = this->part(at, width);
    std::uint64_t n = 0;
    for (unsigned i = width; i-- > 0;) n = n << 8 | std::to_integer<std::uint64_t>(part[i]);
    return n;
  }
  std::span<const std::byte> part(std::uint64_t at, std::uint64_t bytes) const {
    if (at > all_.size() || bytes > all_.size() - at) damaged();
    return all_.subspan(at, bytes);
  }
  std::string text(std::uint64_t at, std::uint64_t bytes) const {
    const auto part = this->part(at, bytes);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::uint64_t size() const { return all_.size(); }

 private:
  std::span<const std::byte> all_;
};

struct Directory {
  std::uint64_t entries = 0, at = 0;
};

Directory directory_of(const Bytes& zip) {
  constexpr std::uint64_t end_bytes = 22, longest_comment = 65535;
  if (zip.size() < end_bytes) damaged();
  const auto lowest = zip.size() - std::min(zip.size(), end_bytes + longest_comment);
  for (auto at = zip.size() - end_bytes + 1; at-- > lowest;) {
    if (zip.number(at, 4) != 0x06054b50) continue;
    Directory found{zip.number(at + 10, 2), zip.number(at + 16, 4)};
    if ((found.entries == 0xffff || found.at == 0xffffffff) && at >= 20 && zip.number(at - 20, 4) == 0x07064b50) {
      const auto large = zip.number(at - 12, 8);
      if (zip.number(large, 4) != 0x06064b50) damaged();
      found = {zip.number(large + 32, 8), zip.number(large + 48, 8)};
    }
    return found;
  }
  damaged();
}

struct Member {
  std::uint64_t method = 0, flags = 0, crc = 0, packed = 0, bytes = 0, at = 0;
};

/// Sizes that 32 bits do not hold stand in an extra field, in this order.
void read_large_sizes(const Bytes& zip, std::uint64_t at, std::uint64_t end, Member& member) {
  while (at + 4 <= end) {
    const auto id = zip.number(at, 2), size = zip.number(at + 2, 2);
    at += 4;
    if (id == 1) {
      for (auto* value : {&member.bytes, &member.packed, &member.at})
        if (*value == 0xffffffff) {
          *value = zip.number(at, 8);
          at += 8;
        }
      return;
    }
    at += size;
  }
}

Member find(const Bytes& zip, const std::string& name) {
  const auto directory = directory_of(zip);
  std::vector<std::string> names;
  auto at = directory.at;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (zip.number(at, 4) != 0x02014b50) damaged();
    const auto name_bytes = zip.number(at + 28, 2), extra = zip.number(at + 30, 2), comment = zip.number(at + 32, 2);
    const auto its_name = zip.text(at + 46, name_bytes);
    if (its_name == name) {
      Member member{zip.number(at + 10, 2), zip.number(at + 8, 2),  zip.number(at + 16, 4),
                    zip.number(at + 20, 4), zip.number(at + 24, 4), zip.number(at + 42, 4)};
      read_large_sizes(zip, at + 46 + name_bytes, at + 46 + name_bytes + extra, member);
      return member;
    }
    names.push_back(printable(its_name.ends_with(".npy") ? its_name.substr(0, its_name.size() - 4) : its_name));
    at += 46 + name_bytes + extra + comment;
  }
  const auto wanted = name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name;
  throw Error(fmt::format("it has no array '{}'{}", wanted, did_you_mean(wanted, names)));
}

void inflate_into(std::span<const std::byte> packed, std::vector<std::byte>& to) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error("there is no memory to inflate it");
  constexpr std::size_t most = 1u << 30;  // zlib counts in 32 bits
  std::size_t in = 0, out = 0;
  int status = Z_OK;
  std::byte none{};
  while (status == Z_OK) {
    const auto give = std::min(most, packed.size() - in), room = std::min(most, to.size() - out);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + in));
    stream.avail_in = static_cast<uInt>(give);
    stream.next_out = reinterpret_cast<Bytef*>(room > 0 ? to.data() + out : &none);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    in += give - stream.avail_in;
    out += room - stream.avail_out;
    if (status == Z_OK && give == stream.avail_in && room == stream.avail_out) break;  // nothing moved
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || out != to.size()) damaged();
}

}  // namespace

std::vector<std::byte> zip_member(std::span<const std::byte> archive, const std::string& name) {
  constexpr std::uint64_t local_bytes = 30, most_inflated = 1032;  // that deflate can make of one byte
  const Bytes zip(archive);
  const auto member = find(zip, name);
  if (member.flags & 1) throw Error(fmt::format("its array '{}' is encrypted", name));
  if (zip.number(member.at, 4) != 0x04034b50) damaged();
  const auto from = member.at + local_bytes + zip.number(member.at + 26, 2) + zip.number(member.at + 28, 2);
  const auto packed = zip.part(from, member.packed);
  if (member.method != 0 && member.method != 8)
    throw Error(fmt::format("its array '{}' is packed by method {}; save it with np.savez or np.savez_compressed", name,
                            member.method));
  if (member.bytes > packed.size() * (member.method == 0 ? 1 : most_inflated)) damaged();
  std::vector<std::byte> content(member.bytes);
  if (member.method == 0) {
    if (packed.size() != content.size()) damaged();
    std::copy(packed.begin(), packed.end(), content.begin());
  } else {
    inflate_into(packed, content);
  }
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (crc != member.crc) throw Error(fmt::format("the checksum of its array '{}' is not right; copy it anew", name));
  return content;
}

}  // namespace headrace::inventory
