#include "exchange/answers.hpp"

#include <string>
#include <utility>

#include "base/error.hpp"

namespace headrace::exchange {

Answers::Answers(const Settings& settings, InFlight& in_flight, Handover& handover, Workers& workers, Traffic& traffic,
                 Pack pack)
    : in_flight_(in_flight),
      handover_(handover),
      workers_(workers),
      traffic_(traffic),
      pack_(std::move(pack)),
      waiting_(settings.answers_per_peer),
      send_buffers_(settings.send_buffers, std::vector<std::byte>(settings.answer_bytes)),
      answers_(settings.send_buffers) {
  for (std::uint32_t buffer = 0; buffer < settings.send_buffers; ++buffer) free_sends_.push_back(buffer);
}

void Answers::asked(int from, std::span<const std::byte> message) {
  Answer answer{.peer = from};
  answer.request = decode(message, answer.reply);
  require(answer.reply < max_outstanding, "stager " + std::to_string(from) + " sent a request with an impossible tag");
  waiting_.add(from, std::move(answer));
}

bool Answers::start() {
  bool moved = false;
  while (!free_sends_.empty()) {
    auto next = waiting_.take();
    if (!next) break;
    const auto buffer = free_sends_.back();
    free_sends_.pop_back();
    answers_[buffer] = std::move(*next);
    if (!workers_.any_idle()) {
      if (pack(buffer))
        send(buffer);
      else
        ++packing_;
      return true;  // one at a time: MPI wants to be looked after
    }
    moved = true;
    ++packing_;
    workers_.post_first([this, buffer] {
      if (pack(buffer)) handover_.packed(buffer);
    });
  }
  return moved;
}

bool Answers::pack(std::uint32_t buffer) {
  auto& answer = answers_[buffer];
  try {
    const auto packed = pack_(answer.request, send_buffers_[buffer], [this, buffer](std::size_t bytes) {
      answers_[buffer].bytes = bytes;
      handover_.packed(buffer);
    });
    // Where it is not complete, that may have happened by now: nothing of the answer is touched here any more.
    if (packed.complete) answer.bytes = packed.bytes;
    return packed.complete;
  } catch (...) {
    answer.failure = std::current_exception();
    return true;
  }
}

void Answers::packed(std::uint32_t buffer) {
  --packing_;
  send(buffer);
}

void Answers::send(std::uint32_t buffer) {
  const auto& answer = answers_[buffer];
  if (answer.failure) std::rethrow_exception(answer.failure);
  traffic_.bytes_sent += answer.bytes;
  in_flight_.send_answer(answer.peer, answer.reply, buffer, std::span(send_buffers_[buffer]).first(answer.bytes));
}

void Answers::sent(std::uint32_t buffer) {
  free_sends_.push_back(buffer);
  waiting_.finish(answers_[buffer].peer);
}

}  // namespace headrace::exchange
