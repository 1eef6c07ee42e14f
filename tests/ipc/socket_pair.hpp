// Two ends of a connection, and names that nobody else has.
#pragma once

#include <unistd.h>

#include <chrono>
#include <string>

#include "ipc/socket.hpp"

namespace ipc_test {

inline std::string unique(const std::string& name) {
  static int count = 0;
  return name + "." + std::to_string(getpid()) + "." + std::to_string(++count);
}

struct Pair {
  headrace::ipc::Listener listener{headrace::ipc::Address(unique("pair"))};
  headrace::ipc::Connection client = headrace::ipc::Connection::connect(listener.address()).value();
  headrace::ipc::Connection server = listener.accept(std::chrono::hours(1)).value();
};

}  // namespace ipc_test
