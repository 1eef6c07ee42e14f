#include "exchange/request.hpp"

#include <cstring>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::exchange {

namespace {

struct Header {
  char kind[4];
  std::uint32_t reply_tag, stream, segments, rows;
};

constexpr char request_kind[4] = {'R', 'o', 'w', 's'};

constexpr std::size_t bytes_of(std::size_t segments, std::size_t rows) {
  return sizeof(Header) + segments * sizeof(Segment) + rows * sizeof(std::uint32_t);
}

}  // namespace

bool fits(std::size_t segments, std::size_t rows) { return bytes_of(segments, rows) <= max_message_bytes; }

std::vector<std::byte> encode(const Request& request, std::uint32_t reply_tag) {
  EXPECTS(fits(request.segments.size(), request.ordinals.size()));
  Header header{{}, reply_tag, request.stream, narrow<std::uint32_t>(request.segments.size()),
                narrow<std::uint32_t>(request.ordinals.size())};
  std::memcpy(header.kind, request_kind, sizeof request_kind);
  std::vector<std::byte> message(bytes_of(header.segments, header.rows));
  auto* to = message.data();
  std::memcpy(to, &header, sizeof header);
  to += sizeof header;
  std::memcpy(to, request.segments.data(), header.segments * sizeof(Segment));
  to += header.segments * sizeof(Segment);
  std::memcpy(to, request.ordinals.data(), header.rows * sizeof(std::uint32_t));
  return message;
}

Request decode(std::span<const std::byte> message, std::uint32_t& reply_tag) {
  Header header{};
  require(message.size() >= sizeof header, "a stager sent a request that is too short");
  std::memcpy(&header, message.data(), sizeof header);
  require(std::memcmp(header.kind, request_kind, sizeof request_kind) == 0,
          "a stager sent a message of an unknown kind (another version?)");
  require(message.size() == bytes_of(header.segments, header.rows), "a stager sent a request of the wrong length");
  reply_tag = header.reply_tag;
  Request request{header.stream, std::vector<Segment>(header.segments), std::vector<std::uint32_t>(header.rows)};
  const auto* from = message.data() + sizeof header;
  std::memcpy(request.segments.data(), from, header.segments * sizeof(Segment));
  from += header.segments * sizeof(Segment);
  std::memcpy(request.ordinals.data(), from, header.rows * sizeof(std::uint32_t));
  std::uint64_t rows = 0;
  for (const auto& segment : request.segments) rows += segment.rows;
  require(rows == header.rows, "a stager sent a request whose segments do not add up");
  return request;
}

}  // namespace headrace::exchange
