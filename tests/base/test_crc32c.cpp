#include "base/crc32c.hpp"

#include <boost/test/unit_test.hpp>
#include <numeric>
#include <string_view>
#include <vector>

namespace headrace {

BOOST_AUTO_TEST_SUITE(checksums)

BOOST_AUTO_TEST_CASE(values_of_rfc_3720) {
  const auto text = [](std::string_view of) { return crc32c(std::as_bytes(std::span(of))); };
  BOOST_TEST(text("123456789") == 0xe3069283u);
  BOOST_TEST(text("") == 0u);
  BOOST_TEST(crc32c(std::vector<std::byte>(32)) == 0x8a9136aau);
  BOOST_TEST(crc32c(std::vector<std::byte>(32, std::byte{0xff})) == 0x62a8ab43u);
}

BOOST_AUTO_TEST_CASE(both_ways_agree_at_every_length_and_cut) {
  std::vector<std::byte> bytes(100);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
  const std::span all(bytes);
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    const auto whole = crc32c(all.first(n));
    BOOST_TEST(crc32c_portable(all.first(n)) == whole, n);
    for (std::size_t cut = 0; cut <= n; cut += 7) {
      BOOST_TEST(crc32c(all.subspan(cut, n - cut), crc32c(all.first(cut))) == whole);
      BOOST_TEST(crc32c_portable(all.subspan(cut, n - cut), crc32c_portable(all.first(cut))) == whole);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace
