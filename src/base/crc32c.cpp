#include "base/crc32c.hpp"

#include <boost/crc.hpp>
#include <cstring>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace headrace {

namespace {

std::uint32_t reflected(std::uint32_t bits) {
  std::uint32_t turned = 0;
  for (int i = 0; i < 32; ++i) turned |= (bits >> i & 1) << (31 - i);
  return turned;
}

#if defined(__x86_64__)

bool has_instruction() {
  return __builtin_cpu_supports("sse4.2") != 0;
}

[[gnu::target("sse4.2")]] std::uint32_t by_instruction(std::span<const std::byte> bytes, std::uint32_t state) {
  std::uint64_t wide = state;
  const auto* at = bytes.data();
  auto left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  state = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at) state = __builtin_ia32_crc32qi(state, static_cast<unsigned char>(*at));
  return state;
}

#elif defined(__aarch64__)

bool has_instruction() {
  constexpr unsigned long hwcap_crc32 = 1 << 7;
  return (getauxval(AT_HWCAP) & hwcap_crc32) != 0;
}

[[gnu::target("+crc")]] std::uint32_t by_instruction(std::span<const std::byte> bytes, std::uint32_t state) {
  const auto* at = bytes.data();
  auto left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    state = __builtin_aarch64_crc32cx(state, word);
  }
  for (; left > 0; --left, ++at) state = __builtin_aarch64_crc32cb(state, static_cast<unsigned char>(*at));
  return state;
}

#else

bool has_instruction() {
  return false;
}

std::uint32_t by_instruction(std::span<const std::byte>, std::uint32_t state) {
  return state;
}

#endif

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t before) {
  // Boost is told the state as it stands in a register that shifts left.
  boost::crc_optimal<32, 0x1EDC6F41, 0, 0, true, true> crc(reflected(~before));
  crc.process_bytes(bytes.data(), bytes.size());
  return ~static_cast<std::uint32_t>(crc.checksum());
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  static const bool instruction = has_instruction();
  return instruction ? ~by_instruction(bytes, ~before) : crc32c_portable(bytes, before);
}

}  // namespace headrace
