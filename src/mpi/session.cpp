#include "mpi/session.hpp"

#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "base/process_end.hpp"
#include "mpi/check.hpp"
#include "mpi/launcher.hpp"
#include "mpi/patience.hpp"
#include "mpi/settings.hpp"
#include "mpi/watch.hpp"

namespace headrace::mpi {

namespace {

constexpr const char* segments = "OMPI_MCA_btl_vader_backing_directory";

/// Open MPI 5 does not start without one; batch systems and containers leave it out.
void set_home() {
  const passwd* user = std::getenv("HOME") == nullptr ? getpwuid(geteuid()) : nullptr;
  ::setenv("HOME", user != nullptr ? user->pw_dir : "/", 0);
}

void set_defaults() {
  set_home();
  choose_settings();
  ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);  // input is only read, and parallel file systems often refuse locks
  if (launched()) return;
  // A singleton needs no daemon of its own, since it never spawns processes through MPI.
  ::setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  // Nor memory that it shares with nobody: Open MPI 5 makes it all the same, in /dev/shm, and nobody removes it. Whatever
  // the settings of the machine say of ways to others.
  ::setenv("OMPI_MCA_btl", "self", 0);
  // Else Open MPI takes it for a rank of the step that it happens to run in.
  ::unsetenv("SLURM_STEP_ID");
}

// Slurm gives a requeued job its old number, by which Open MPI names the memory that ranks of one node share: with a
// process of the first run still there, both would write into it, and die of it. So every run has a folder of its own.
std::string folder_of_restart() {
  const char *job = std::getenv("SLURM_JOB_ID"), *restart = std::getenv("SLURM_RESTART_COUNT");
  if (!job || !restart || std::getenv(segments)) return "";
  const auto folder = "/dev/shm/headrace-" + std::to_string(geteuid()) + "-" + job + "-" + restart;
  if (mkdir(folder.c_str(), 0700) == 0) return folder;
  // Another rank of ours was first; or another user, who knows the name, too.
  struct stat info {};
  const bool ours = errno == EEXIST && lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
                    info.st_uid == geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  return ours ? folder : "";
}

/// What signals do is ours to say: UCX, which Open MPI may load, takes SIGHUP as a wish for a debugger, also where it was
/// to be ignored (nohup).
class KeptSignals {
 public:
  KeptSignals() {
    for (auto& [signal, action] : kept_) sigaction(signal, nullptr, &action);
  }
  ~KeptSignals() {
    for (const auto& [signal, action] : kept_) sigaction(signal, &action, nullptr);
  }
  KeptSignals(const KeptSignals&) = delete;
  KeptSignals& operator=(const KeptSignals&) = delete;

 private:
  struct Kept {
    int signal;
    struct sigaction action {};
  };
  std::array<Kept, 7> kept_{{{SIGHUP}, {SIGINT}, {SIGTERM}, {SIGUSR1}, {SIGUSR2}, {SIGPIPE}, {SIGXFSZ}}};
};

int start_mpi() {
  const KeptSignals kept;
  const Watch watch("MPI",
                    std::string("not every process of this job has called MPI_Init (") +
                        (is_mixed() ? "there are other programs in this mpirun; start trainers as 'headrace run -- "
                                      "COMMAND', or with an mpirun of their own"
                                    : "one of them hangs, or its node does; trainers in one job with the service are "
                                      "started as 'headrace run -- COMMAND'") +
                        ")",
                    is_first());
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  return provided;
}

/// Other programs of the job may be at work as long as they like; where all are ours, their end is near.
void end_mpi() {
  patience().farewell = nullptr;  // to those who are served no more
  if (!is_of_one_line()) patience().limit_s = 0;
  if (is_mixed()) {
    MPI_Finalize();
    return;
  }
  const Watch watch("the end of MPI",
                    "another process of this job has not come to it, or the launcher does not answer; what was to be "
                    "done is done",
                    is_first(), "did not come");
  MPI_Finalize();
}

}  // namespace

Session::Session() : folder_(folder_of_restart()) {
  if (const int tasks = tasks_without_mpi(); tasks > 1)
    throw UsageError("srun has started " + std::to_string(tasks) +
                     " processes, but not told MPI that they belong together; use srun --mpi=pmix ('srun --mpi=list' "
                     "shows what there is)");
  set_defaults();
  if (!folder_.empty()) ::setenv(segments, folder_.c_str(), 0);
  int provided = MPI_THREAD_SINGLE;
  const auto start = [&provided] { provided = start_mpi(); };
  if (launched())
    start();
  else
    lone_.start(start);
  if (provided < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    throw Error("this MPI library supports no threads beside the main one (MPI_THREAD_FUNNELED); use another build");
  }
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  mark_.leave();
}

Session::~Session() {
  if (!leaves_at_once) end_mpi();
  if (!folder_.empty()) rmdir(folder_.c_str());  // by the last of the node; the others fail, as it is not empty
}

int Session::rank() {
  int rank = 0;
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "MPI_Comm_rank");
  return rank;
}

int Session::size() {
  int size = 0;
  check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  return size;
}

void Session::abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace headrace::mpi
