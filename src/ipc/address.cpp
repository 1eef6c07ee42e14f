#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "ipc/socket_call.hpp"

namespace headrace::ipc {

namespace {

std::string prefix() {
  return "headrace/" + std::to_string(geteuid()) + "/";
}

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

/// Anybody can give a socket a name that begins as ours do. With a dot begin those where stagers meet, and those of
/// writers: nobody calls there to see who answers.
bool is_ours(const std::string& name) {
  if (!is_name(name) || name.front() == '.') return false;
  try {
    const auto holder = Connection::connect(Address(name));
    return holder && holder->peer().uid == geteuid();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

Address::Address(std::string_view service) : service_(service) {
  if (service.find('/') != std::string_view::npos) {
    require(service.find('\0') == std::string_view::npos, "the socket's path contains a zero byte; give a plain path");
    name_ = service_;
  } else {
    require(is_name(service), "'" + service_ +
                                  "' cannot name a service (letters, digits, '-', '_' and '.' make a name); "
                                  "choose another, or give the path of a socket (with a '/')");
    name_ = '\0' + prefix() + service_;
  }
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  require(name_.size() <= longest, "'" + service_ + "' is too long to name a service (the system allows " +
                                       std::to_string(longest - (is_path() ? 0 : prefix().size() + 1)) +
                                       " characters); choose a shorter one");
}

std::vector<std::string> list_services() {
  // Num RefCount Protocol Flags Type St Inode Path; an abstract name is shown with '@' for its leading zero byte.
  std::ifstream table("/proc/net/unix");
  std::string wanted("@");
  wanted += prefix();
  constexpr unsigned long accepts_connections = 0x10000;  // __SO_ACCEPTCON: accepted sockets carry the name too
  std::set<std::string> names;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number, references, protocol, flags, type, state, inode, path;
    words >> number >> references >> protocol >> flags >> type >> state >> inode >> path;
    if (!path.starts_with(wanted)) continue;
    // Names may hold line feeds: a line need not be one of the table's.
    unsigned long set = 0;
    const auto* const end = flags.data() + flags.size();
    const auto read = std::from_chars(flags.data(), end, set, 16);
    if (read.ec != std::errc() || read.ptr != end) continue;
    if (set & accepts_connections) names.insert(path.substr(wanted.size()));
  }
  std::erase_if(names, [](const std::string& name) { return !is_ours(name); });
  return {names.begin(), names.end()};
}

}  // namespace headrace::ipc
