// A tool's connection to a service of this node.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "ipc/socket.hpp"

namespace headrace::commands {

/// The service is there, and silent.
class NoAnswer : public Error {
 public:
  using Error::Error;
};

constexpr std::chrono::seconds answer_limit{10};

/// Nothing if no such service listens. Error if it is another user's.
std::optional<ipc::Connection> try_connect(const std::string& name);
/// Error that names the services there are.
ipc::Connection connect(const std::string& name);
std::string no_such_service(const std::string& name);

/// Sends a command. False if the service went away. word: of the service that is meant; another one refuses it.
bool send_command(const ipc::Connection& connection, const std::string& command, const std::string& word = "");
/// The next message; nothing if the service went away. NoAnswer after the limit; Error if it refuses.
std::optional<nlohmann::json> next_answer(const ipc::Connection& connection, const std::string& command,
                                          std::chrono::milliseconds limit = answer_limit);
/// One command and one answer.
std::optional<nlohmann::json> ask(const ipc::Connection& connection, const std::string& command,
                                  std::chrono::milliseconds limit = answer_limit);

}  // namespace headrace::commands
