#include "mpi/process_place.hpp"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace headrace::mpi {

std::string process_start_ticks(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string status;
  std::getline(file, status);
  const auto after_name = status.rfind(')');
  if (after_name == std::string::npos) return "";
  std::istringstream words(status.substr(after_name + 1));
  std::string state, start;
  constexpr int start_time = 22 - 3;  // number, name and state stand before
  words >> state;
  if (state == "Z" || state == "X") return "";
  for (int i = 0; i < start_time; ++i) words >> start;
  return start;
}

std::string process_place() {
  struct stat space {};
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  if (stat("/proc/self/ns/pid", &space) != 0 || !std::getline(boot, boot_id)) return "";
  // The kernel gives a namespace's number to others later, so the start of its first process stands beside it.
  // That of the machine itself has a fixed one, and its first process may be hidden from users (hidepid).
  constexpr ino_t of_the_machine = 0xEFFFFFFC;  // PROC_PID_INIT_INO
  const auto first = space.st_ino == of_the_machine ? std::string("0") : process_start_ticks(1);
  if (first.empty()) return "";
  return std::to_string(space.st_ino) + " " + first + " " + boot_id;
}

}  // namespace headrace::mpi
