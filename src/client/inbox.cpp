#include "client/inbox.hpp"

#include <variant>

#include "client/calls.hpp"
#include "ipc/process.hpp"

namespace headrace::client {

void Inbox::look() {
  const auto now = Clock::now();
  if (lost_ || now < next_look_) return;
  looked_ = now;
  next_look_ = now + Calls::slice;  // so late may the death of a stager be noticed
  // Before its words are read: of one that says why it ends, and ends, both must not seem silent. A death that comes
  // behind this question is seen at the next look.
  const bool was_alive = ipc::alive(stager_);
  for (;;) {
    auto received = connection_.receive();
    if (received.what == ipc::Receipt::message) {
      hear(received.message);
      if (lost_) return;
      continue;
    }
    // The pidfd, too: a forked child of the stager would keep the socket open.
    if (received.what == ipc::Receipt::closed || !was_alive)
      lose({HR_LOST, "service '" + info_.welcome().service + "' is gone: " + info_.stager() +
                         " ended without a word; start it again, connect, and seek to where you were"});
    return;
  }
}

ipc::Receipt Inbox::wait(std::chrono::milliseconds limit) {
  const auto received = connection_.receive(limit);
  if (received.what == ipc::Receipt::message) hear(received.message);
  return received.what;
}

std::uint64_t Inbox::next_question() {
  agreed_.reset();
  return ++questions_;
}

void Inbox::hear(const ipc::Message& message) {
  const auto& service = info_.welcome().service;
  const auto said = ring::decode_from_service(message.text);
  if (const auto* dying = std::get_if<ring::Dying>(&said)) {
    lose({HR_LOST, "service '" + service + "' has ended: " + dying->text});
  } else if (const auto* refused = std::get_if<ring::Refused>(&said)) {
    lose({refused->kind == ring::Refusal::failed ? HR_LOST : HR_REFUSED,
          "service '" + service + "' ended this connection: " + refused->text});
  } else if (const auto* agreed = std::get_if<ring::Agreed>(&said)) {
    if (agreed->number == questions_) agreed_ = *agreed;  // else the late answer to a question that was given up
  } else if (std::holds_alternative<ring::FilesTold>(said)) {
    if (!files_) files_.emplace(message);
  }
}

}  // namespace headrace::client
