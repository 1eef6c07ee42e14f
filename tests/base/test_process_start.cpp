#include "base/process_start.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>

#include "base/file_limit.hpp"

using namespace headrace;

namespace {

/// The exit code of a process of its own that does this; 128 and the signal that ended it.
int in_a_child(const std::function<int()>& what) {
  const pid_t pid = fork();
  if (pid == 0) _exit(what());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool same_file(int fd, const char* path) {
  struct stat mine {
  }, its{};
  return fstat(fd, &mine) == 0 && stat(path, &its) == 0 && mine.st_rdev == its.st_rdev && S_ISCHR(mine.st_mode);
}

bool ignores(int signal) {
  struct sigaction now {};
  sigaction(signal, nullptr, &now);
  return now.sa_handler == SIG_IGN;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(process_start)

BOOST_AUTO_TEST_CASE(closed_descriptors_are_open_on_nothing) {
  for (const int closed : {1, 2, 4, 3, 7}) {
    const int wrong = in_a_child([closed] {
      for (int fd = 0; fd < 3; ++fd)
        if (closed >> fd & 1) close(fd);
      start_process();
      for (int fd = 0; fd < 3; ++fd)
        if ((closed >> fd & 1) && (!same_file(fd, "/dev/null") || fcntl(fd, F_GETFD) != 0)) return 1;
      if (output_was_closed() != ((closed & 2) != 0)) return 2;
      return open("/dev/null", O_RDONLY) > 2 ? 0 : 3;
    });
    BOOST_TEST(wrong == 0, "closed " << closed << ": " << wrong);
  }
}

BOOST_AUTO_TEST_CASE(signals_of_batch_systems_do_nothing) {
  BOOST_TEST(in_a_child([] {
               start_process();
               for (const int signal : {SIGUSR1, SIGUSR2, SIGXFSZ}) raise(signal);
               return 5;
             }) == 5);
  BOOST_TEST(in_a_child([] { return raise(SIGUSR1); }) == 128 + SIGUSR1);  // by default they end a process
}

BOOST_AUTO_TEST_CASE(children_can_be_waited_for_whatever_the_caller_did) {
  BOOST_TEST(in_a_child([] {
               signal(SIGCHLD, SIG_IGN);
               start_process();
               return in_a_child([] { return 6; });
             }) == 6);
}

BOOST_AUTO_TEST_CASE(children_get_signals_back_as_they_were) {
  BOOST_TEST(in_a_child([] {
               signal(SIGUSR2, SIG_IGN);  // as the caller wanted it
               start_process();
               ignore_signal(SIGPIPE);
               sigset_t some;
               sigemptyset(&some);
               sigaddset(&some, SIGTERM);
               sigprocmask(SIG_BLOCK, &some, nullptr);
               if (!ignores(SIGUSR1) || !ignores(SIGPIPE)) return 1;
               restore_for_child();
               sigprocmask(SIG_BLOCK, nullptr, &some);
               if (sigismember(&some, SIGTERM)) return 2;
               return !ignores(SIGUSR1) && !ignores(SIGPIPE) && !ignores(SIGXFSZ) && ignores(SIGUSR2) ? 0 : 3;
             }) == 0);
}

BOOST_AUTO_TEST_CASE(the_limit_of_open_files_is_raised_and_given_back) {
  BOOST_TEST(in_a_child([] {
               rlimit limit{};
               getrlimit(RLIMIT_NOFILE, &limit);
               const rlim_t hard = std::min(limit.rlim_max, rlim_t{1} << 20);
               limit.rlim_cur = 40;
               setrlimit(RLIMIT_NOFILE, &limit);
               if (raise_file_limit() != hard || file_limit() != hard) return 1;
               raise_file_limit();  // again: nothing new
               restore_file_limit();
               return file_limit() == 40 ? 0 : 2;
             }) == 0);
}

BOOST_AUTO_TEST_CASE(open_files_are_counted) {
  const auto before = open_files();
  const int fd = open("/dev/null", O_RDONLY);
  BOOST_TEST(open_files() == before + 1);
  close(fd);
  BOOST_TEST(open_files() == before);
}

BOOST_AUTO_TEST_SUITE_END()
