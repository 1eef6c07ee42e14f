#include <boost/test/unit_test.hpp>
#include <cstring>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "exchange/request.hpp"

using namespace headrace;
using namespace headrace::exchange;

BOOST_AUTO_TEST_SUITE(request)

namespace {

Request random_request(std::mt19937_64& random) {
  Request request{static_cast<std::uint32_t>(random()), {}, {}};
  for (auto more = random() % 6; more > 0; --more) {
    const auto rows = static_cast<std::uint32_t>(random() % 200);
    request.segments.push_back({static_cast<std::uint32_t>(random()), rows});
    for (std::uint32_t i = 0; i < rows; ++i) request.ordinals.push_back(static_cast<std::uint32_t>(random()));
  }
  return request;
}

/// Decodes or throws Error; whatever comes out must be sound.
bool decodes(std::span<const std::byte> message) {
  try {
    std::uint32_t tag = 0;
    const auto request = decode(message, tag);
    std::uint64_t rows = 0;
    for (const auto& segment : request.segments) rows += segment.rows;
    BOOST_TEST(rows == request.ordinals.size());
    const auto again = encode(request, tag);
    BOOST_TEST((again.size() == message.size() && std::memcmp(again.data(), message.data(), again.size()) == 0));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(comes_out_as_it_went_in) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 500; ++round) {
    const auto request = random_request(random);
    const auto tag = static_cast<std::uint32_t>(random());
    std::uint32_t found = 0;
    BOOST_TEST((decode(encode(request, tag), found) == request));
    BOOST_TEST(found == tag);
  }
}

BOOST_AUTO_TEST_CASE(starts_with_its_kind) {
  BOOST_TEST((encode({}, 0)[0] == std::byte{'R'}));  // control messages start otherwise
}

BOOST_AUTO_TEST_CASE(the_largest_that_fits) {
  std::size_t rows = 1;
  while (fits(1, rows + 1)) ++rows;
  Request request{1, {{2, static_cast<std::uint32_t>(rows)}}, std::vector<std::uint32_t>(rows)};
  std::iota(request.ordinals.begin(), request.ordinals.end(), 0u);
  const auto message = encode(request, 7);
  BOOST_TEST(message.size() <= max_message_bytes);
  BOOST_TEST(message.size() + sizeof(std::uint32_t) > max_message_bytes);
  BOOST_TEST(decodes(message));
}

BOOST_AUTO_TEST_CASE(random_bytes_are_refused) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> message(random() % 64);
    for (auto& byte : message) byte = static_cast<std::byte>(random());
    if (message.size() >= 4 && round % 2 == 0) std::memcpy(message.data(), "Rows", 4);
    decodes(message);
  }
}

BOOST_AUTO_TEST_CASE(damaged_requests_are_refused_or_sound) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 5000; ++round) {
    auto message = encode(random_request(random), 1);
    BOOST_TEST(decodes(message));
    switch (random() % 3) {
      case 0:  // shorter or longer
        message.resize(random() % 2 == 0 ? random() % message.size() : message.size() + 1 + random() % 20);
        BOOST_TEST(!decodes(message));
        break;
      case 1:  // a bit
        message[random() % message.size()] ^= static_cast<std::byte>(1 << random() % 8);
        decodes(message);
        break;
      default: {  // a number of the header becomes huge
        const std::uint32_t huge = 0xffffffffu - static_cast<std::uint32_t>(random() % 16);
        std::memcpy(message.data() + 20 + 4 * (random() % 2), &huge, sizeof huge);
        BOOST_TEST(!decodes(message));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
