#include "exchange/in_flight.hpp"

#include <utility>

#include "base/contract.hpp"
#include "base/narrow.hpp"

namespace headrace::exchange {

namespace {
constexpr int request_tag = 1, control_tag = 2;
constexpr int first_reply_tag = 16;

int tag_of(std::uint32_t reply) {
  return first_reply_tag + narrow<int>(reply);
}
}  // namespace

void InFlight::watch(Token token, mpi::Transfer transfer) {
  ++under_way_[static_cast<std::size_t>(token.kind)];
  transfers_.add(std::move(transfer), token.packed());
}

void InFlight::receive_request(std::uint32_t buffer, std::span<std::byte> into) {
  watch({Kind::request, buffer}, mailbox_.receive_any(request_tag, into));
}

void InFlight::receive_control(std::span<std::byte> into) {
  EXPECTS(count(Kind::control) == 0);
  watch({Kind::control, 0}, mailbox_.receive_any(control_tag, into));
}

void InFlight::receive_reply(int from, std::uint32_t reply, std::span<std::byte> into) {
  watch({Kind::reply, reply}, mailbox_.receive(from, tag_of(reply), into));
}

void InFlight::receive_reply(int from, std::uint32_t reply, std::span<const mpi::Block> into) {
  watch({Kind::reply, reply}, mailbox_.receive(from, tag_of(reply), into));
}

void InFlight::send_request(int to, std::uint32_t reply, std::span<const std::byte> message) {
  watch({Kind::request_send, reply}, mailbox_.send(to, request_tag, message));
}

void InFlight::send_answer(int to, std::uint32_t reply, std::uint32_t buffer, std::span<const std::byte> rows) {
  watch({Kind::answer_send, buffer}, mailbox_.send(to, tag_of(reply), rows));
}

void InFlight::send_control(int to, std::uint32_t number, std::span<const std::byte> message) {
  watch({Kind::control_send, number}, mailbox_.send(to, control_tag, message));
}

const std::vector<InFlight::Done>& InFlight::poll() {
  completed_.clear();
  transfers_.poll(completed_);
  done_.clear();
  for (const auto& one : completed_) {
    const auto token = Token::of(one.token);
    --under_way_[static_cast<std::size_t>(token.kind)];
    done_.push_back({token, one.source, one.bytes});
  }
  return done_;
}

}  // namespace headrace::exchange
