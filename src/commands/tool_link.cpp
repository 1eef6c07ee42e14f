#include "commands/tool_link.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "ring/messages.hpp"

namespace headrace::commands {

std::optional<ipc::Connection> try_connect(const std::string& name) {
  const ipc::Address address(name);
  auto connection = ipc::Connection::connect(address);
  if (!connection) return std::nullopt;
  ipc::require_our_service(*connection, address);
  ring::Hello hello;
  hello.role = ring::Role::control;
  hello.pid = getpid();
  if (connection->send(ring::encode(hello), {}, answer_limit) != ipc::Sent::sent) return std::nullopt;
  return connection;
}

std::string no_such_service(const std::string& name) {
  auto text = "there is no service '" + name + "' on this node";
  const auto names = ipc::list_services();
  return text + (names.empty() ? "; none runs here" : did_you_mean(name, names));
}

ipc::Connection connect(const std::string& name) {
  auto connection = try_connect(name);
  require(connection.has_value(), no_such_service(name));
  return std::move(*connection);
}

bool send_command(const ipc::Connection& connection, const std::string& command, const std::string& word) {
  return connection.send(ring::encode(ring::Command{command, "", word}), {}, answer_limit) == ipc::Sent::sent;
}

std::optional<nlohmann::json> next_answer(const ipc::Connection& connection, const std::string& command,
                                          std::chrono::milliseconds limit) {
  const auto received = connection.receive(limit);
  if (received.what == ipc::Receipt::closed) return std::nullopt;
  if (received.what != ipc::Receipt::message)
    throw NoAnswer(fmt::format("the service does not answer '{}' within {:g} s", command,
                               std::chrono::duration<double>(limit).count()));
  auto answer = nlohmann::json::parse(received.message.text);
  if (answer.contains("error")) throw Error(answer["error"].value("text", "the service refused"));
  return answer;
}

std::optional<nlohmann::json> ask(const ipc::Connection& connection, const std::string& command,
                                  std::chrono::milliseconds limit) {
  if (!send_command(connection, command)) return std::nullopt;
  return next_answer(connection, command, limit);
}

}  // namespace headrace::commands
