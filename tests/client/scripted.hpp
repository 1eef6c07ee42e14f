// Services whose every word is written in the test: on the first connection a script runs, in a thread of the test.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "formula.hpp"
#include "ipc/process.hpp"
#include "ipc/socket.hpp"
#include "ring/messages.hpp"
#include "ring/producer.hpp"
#include "trainer.hpp"

namespace headrace {

using namespace std::chrono_literals;

/// A service that runs a script on the first connection, in a thread of the test.
class Scripted {
 public:
  using Script = std::function<void(ipc::Connection&)>;
  explicit Scripted(Script script) : listener_(ipc::Address(unique_name("scripted"))) {
    thread_ = std::thread([this, script] {
      auto connection = listener_.accept(1h);
      const auto hello = connection->receive(1h);
      hello_is_right_ = hello.message.fds.size() == 1 && ipc::pid_of_pidfd(hello.message.fds[0]) == getpid() &&
                        std::holds_alternative<ring::Hello>(ring::decode_from_client(hello.message.text));
      script(*connection);
    });
  }
  ~Scripted() {
    if (thread_.joinable()) thread_.join();
    BOOST_TEST(hello_is_right_);
  }
  std::string name() const { return listener_.address().service(); }

 private:
  ipc::Listener listener_;
  std::thread thread_;
  bool hello_is_right_ = false;
};

inline void say(const ipc::Connection& connection, const std::string& text, std::initializer_list<int> fds = {}) {
  const std::vector<int> all(fds);
  static_cast<void>(connection.send(text, all));
}

/// A ring and the welcome that goes with it.
struct Guesthouse {
  ring::Producer producer;
  ipc::Bell bell = ipc::Bell::make();
  ipc::Fd self = ipc::open_pidfd(getpid());
  ring::Welcome welcome;
  explicit Guesthouse(std::uint32_t replicas = 1)
      : producer("test", formula::schema(), ring::Producer::ring_bytes(formula::schema(), 10, 3), 1, replicas) {
    producer.configure(10, 1);
    welcome = {.service = "scripted",
               .stream = "train",
               .batches = 10,
               .samples = 100,
               .batch = 10,
               .slots = 3,
               .fields = formula::schema(),
               .ring_bytes = producer.bytes(),
               .pid = getpid(),
               .host = "here",
               .replicas = replicas};
  }
  void let_in(const ipc::Connection& connection) const { let_in(connection, self.get()); }
  void let_in(const ipc::Connection& connection, int stager) const {
    say(connection, encode(welcome), {producer.fd().get(), bell.fd(), stager});
  }
  void publish(std::uint64_t step) {
    const auto slot = *producer.take_free();
    const auto part = formula::part(100, 0, 0, step, 10, 0, 1, false);
    std::ranges::copy(part.samples, producer.index(slot));
    for (std::size_t field = 0; field < 3; ++field)
      for (std::size_t row = 0; row < 10; ++row)
        formula::write_row(field, part.samples[row],
                           producer.field(slot, field) + row * producer.schema()[field].row_bytes());
    producer.publish(slot, {1, 0, step, 10, 10, false});
  }
};

}  // namespace headrace
