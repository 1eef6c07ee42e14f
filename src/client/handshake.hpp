// Finding the service and getting in: connect, hello, wait until it has loaded, welcome. One thread.
#pragma once

#include <optional>
#include <string>

#include "client/deadline.hpp"
#include "headrace/headrace.h"
#include "ipc/process.hpp"
#include "ipc/socket.hpp"
#include "ring/consumer.hpp"
#include "ring/messages.hpp"

namespace headrace::client {

/// What hr_options asks for, checked.
struct Wish {
  std::string service, stream;
  std::uint32_t rank = 0, world_size = 1;
  std::int32_t local_rank = -1;
  std::uint32_t replica = 0, replicas = 0;
  double timeout = 0;
  int (*progress)(void*, const char*, double) = nullptr;
  void* progress_context = nullptr;
};
/// Failure(HR_INVALID) where the options make no sense.
Wish checked(const hr_options& options);

/// The service has let us in.
struct Session {
  ipc::Connection connection;
  ring::Welcome welcome;
  std::string welcome_text;  ///< as it came
  ipc::Fd ring;
  ipc::Bell bell;
  ipc::Fd stager;                      ///< pidfd of the stager that serves us
  std::optional<ring::Share> share{};  ///< where we are one of several replicas
};

/// Waits for the service to start and to load, up to the timeout. Failure with the code and text for the caller.
Session shake_hands(const Wish& wish);

}  // namespace headrace::client
