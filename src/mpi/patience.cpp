#include "mpi/patience.hpp"

#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

namespace headrace::mpi {

namespace {

constexpr std::chrono::milliseconds for_the_others{500};

// Nothing may keep the process from ending.
void say_goodbye(const std::string& why) noexcept {
  try {
    if (!why.empty()) tell(why);
    if (patience().farewell) patience().farewell(why);
  } catch (const std::exception&) {
  }
  std::fflush(nullptr);
}

}  // namespace

Patience& patience() {
  static Patience of_the_process;
  return of_the_process;
}

void tell(const std::string& what) {
  if (patience().tell) return patience().tell(what);
  std::fprintf(stderr, "headrace: %s\n", what.c_str());
}

void give_up(const std::string& why) {
  say_goodbye(why);
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::_Exit(1);
}

void give_up_beside_mpi(const std::string& why) {
  say_goodbye(why);
  std::this_thread::sleep_for(for_the_others);
  _exit(1);
}

}  // namespace headrace::mpi
