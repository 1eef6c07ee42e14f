#include "exchange/engine.hpp"

#include <sys/prctl.h>

#include <thread>
#include <utility>

#include "base/error.hpp"
#include "log/log.hpp"

namespace headrace::exchange {

Engine::Engine(const mpi::Comm& comm, const Settings& settings, Workers& workers, Pack pack, Control control)
    : settings_(settings),
      control_(std::move(control)),
      receive_buffers_(settings.receive_buffers, std::vector<std::byte>(max_message_bytes + 1)),
      control_buffer_(max_message_bytes + 1),
      asks_(settings, in_flight_, handover_, workers, traffic_, [&comm](int peer) { return comm.name_of(peer); }),
      answers_(settings, in_flight_, handover_, workers, traffic_, std::move(pack)),
      controls_(in_flight_),
      in_flight_(comm) {
  for (std::uint32_t i = 0; i < receive_buffers_.size(); ++i) open_receive(i);
  in_flight_.receive_control(control_buffer_);
}

void Engine::run(const std::function<bool()>& finished) {
  // In this order: what others handed over before they made finished() true still leaves.
  progress_until([&] { return own_work_done() && finished() && !handover_.any(); });
}

void Engine::run_for_now(const std::function<bool()>& enough) {
  progress_until(enough);
}

void Engine::progress_until(const std::function<bool()>& done) {
  prctl(PR_SET_TIMERSLACK, 1000UL);  // naps of microseconds mean it
  naps_.begin(now());
  for (;;) {
    bool moved = false;
    while (progress()) moved = true;
    if (done()) return;
    nap(moved);
    check_limits();
  }
}

bool Engine::progress() {
  bool moved = take_orders();
  moved |= take_messages();
  moved |= answers_.start();
  return moved;
}

bool Engine::take_orders() {
  auto orders = handover_.take();
  for (const auto bounce : orders.emptied) asks_.emptied(bounce);
  for (auto& fetch : orders.fetches) asks_.add(std::move(fetch));
  asks_.ask(now());  // also for what has waited for a reply number
  for (const auto& [to, text] : orders.controls) controls_.send(to, text);
  for (const auto buffer : orders.packed) answers_.packed(buffer);
  return orders.any();
}

bool Engine::take_messages() {
  const auto& all = in_flight_.poll();
  for (const auto& done : all) {
    const auto number = done.token.number;
    switch (done.token.kind) {
      case Kind::request:
        require(done.bytes > 0, "stager " + std::to_string(done.source) + " sent an empty message");
        answers_.asked(done.source, std::span(receive_buffers_[number]).first(done.bytes));
        open_receive(number);
        break;
      case Kind::control:
        control_(done.source, Controls::text_of(std::span(control_buffer_).first(done.bytes)));
        in_flight_.receive_control(control_buffer_);
        break;
      case Kind::reply:
        asks_.answered(number, done.bytes, now());
        break;
      case Kind::request_send:
        asks_.request_sent(number);
        break;
      case Kind::answer_send:
        answers_.sent(number);
        break;
      case Kind::control_send:
        controls_.sent(number);
        break;
    }
  }
  return !all.empty();
}

void Engine::open_receive(std::uint32_t buffer) {
  in_flight_.receive_request(buffer, receive_buffers_[buffer]);
}

void Engine::nap(bool moved) {
  const bool outstanding = in_flight_.any() || answers_.packing() || asks_.copying();
  if (const auto length = naps_.next(now(), moved, outstanding))
    handover_.wait_for(*length);
  else
    std::this_thread::yield();
}

void Engine::check_limits() {
  const double time = now();
  if (time < next_check_) return;
  next_check_ = time + 1;
  for (const auto& line : asks_.look(time)) log::warn("{}", line);
}

}  // namespace headrace::exchange
