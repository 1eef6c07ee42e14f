#include "inventory/decoders/checksum.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::inventory {

namespace {

std::string hexadecimal(const char* name, std::string_view content) {
  const auto* method = EVP_get_digestbyname(name);
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned bytes = 0;
  if (method == nullptr || EVP_Digest(content.data(), content.size(), sum.data(), &bytes, method, nullptr) != 1)
    throw Error(fmt::format("its {} cannot be computed (OpenSSL refuses it)", name));
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text += fmt::format("{:02x}", sum[i]);
  return text;
}

}  // namespace

void require_checksum(const std::string& kind, std::string_view wanted, std::string_view content) {
  for (const auto* name : {"sha256", "sha1", "md5"}) {
    if (!kind.starts_with(name)) continue;
    auto text = std::string(wanted.substr(wanted.find(':') == std::string_view::npos ? 0 : wanted.find(':') + 1));
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto found = hexadecimal(name, content);
    if (found != text) throw Error(fmt::format("its {} is {}, and the table says {}", name, found, printable(wanted)));
    return;
  }
}

}  // namespace headrace::inventory
