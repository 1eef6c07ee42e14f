#include "exchange/request.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::exchange {

namespace {

struct Header {
  char kind[4];
  std::uint32_t reply_tag;
  std::uint64_t epoch;
  std::uint32_t stream, segments, rows, unused;
};

constexpr char request_kind[4] = {'R', 'o', 'w', 's'};

constexpr std::size_t bytes_of(std::size_t segments, std::size_t rows) {
  return sizeof(Header) + segments * sizeof(Segment) + rows * sizeof(std::uint32_t);
}

}  // namespace

bool fits(std::size_t segments, std::size_t rows) {
  return bytes_of(segments, rows) <= max_message_bytes;
}

std::vector<std::byte> encode(const Request& request, std::uint32_t reply_tag) {
  EXPECTS(fits(request.segments.size(), request.ordinals.size()));
  Header header{{},
                reply_tag,
                request.epoch,
                request.stream,
                narrow<std::uint32_t>(request.segments.size()),
                narrow<std::uint32_t>(request.ordinals.size()),
                0};
  std::memcpy(header.kind, request_kind, sizeof request_kind);
  std::vector<std::byte> message(bytes_of(header.segments, header.rows));
  auto to = message.begin();
  // Parts may be empty, and memcpy takes no null pointer even then.
  const auto put = [&](std::span<const std::byte> part) { to = std::ranges::copy(part, to).out; };
  put(std::as_bytes(std::span(&header, 1)));
  put(std::as_bytes(std::span(request.segments)));
  put(std::as_bytes(std::span(request.ordinals)));
  return message;
}

Request decode(std::span<const std::byte> message, std::uint32_t& reply_tag) {
  Header header{};
  require(message.size() >= sizeof header, "a stager sent a request that is too short");
  std::memcpy(&header, message.data(), sizeof header);
  require(std::memcmp(header.kind, request_kind, sizeof request_kind) == 0,
          "a stager sent a message of an unknown kind (another version?)");
  require(header.unused == 0 && message.size() == bytes_of(header.segments, header.rows),
          "a stager sent a request of the wrong length");
  reply_tag = header.reply_tag;
  Request request{header.stream, std::vector<Segment>(header.segments), std::vector<std::uint32_t>(header.rows),
                  header.epoch};
  const auto segments = std::as_writable_bytes(std::span(request.segments));
  const auto ordinals = std::as_writable_bytes(std::span(request.ordinals));
  std::ranges::copy(message.subspan(sizeof header, segments.size()), segments.begin());
  std::ranges::copy(message.last(ordinals.size()), ordinals.begin());
  std::uint64_t rows = 0;
  for (const auto& segment : request.segments) rows += segment.rows;
  require(rows == header.rows, "a stager sent a request whose segments do not add up");
  return request;
}

}  // namespace headrace::exchange
