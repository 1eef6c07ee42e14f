#include "mpi/leftovers.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "ipc/child.hpp"

using namespace headrace;
namespace fs = std::filesystem;

namespace {

/// A folder of session folders, as Open MPI makes them.
struct Top {
  fs::path path = fs::temp_directory_path() / ("headrace-leftovers." + std::to_string(getpid()));
  fs::path temporary = path.string() + ".tmp";  // others' things, too
  Top() { fs::create_directory(path); }
  ~Top() {
    fs::remove_all(path);
    fs::remove_all(temporary);
  }
  fs::path job(const std::string& name) const {
    const auto folder = (name.starts_with("prte") ? temporary : path) / name;
    fs::create_directories(folder / "1" / "0");
    std::ofstream(folder / "contact.txt") << "somewhere";
    return folder;
  }
  /// As a process of ours has left it that is dead by now.
  fs::path mark(const fs::path& job, int rank, const std::string& segment) const {
    const auto file = job / "1" / "0" / ("headrace.mark." + std::to_string(rank));
    Child stager([&] {
      leave_mark(job, rank);
      return 0;
    });
    stager.wait();
    std::ofstream(file, std::ios::app) << segment << "\n";
    return file;
  }
  static void leave_mark(const fs::path& job, int rank) {
    setenv("OMPI_FILE_LOCATION", (job / "1" / "0").c_str(), 1);
    setenv("OMPI_COMM_WORLD_RANK", std::to_string(rank).c_str(), 1);
    mpi::Mark mark;
    mark.leave();
    _exit(0);  // without an end, as by a signal
  }
  fs::path segment(const std::string& name) const {
    std::ofstream(path / name) << std::string(8192, 'x');
    return path / name;
  }
  std::vector<std::string> clean() const { return mpi::remove_leftovers_in(path.string(), temporary.string()); }
};

/// The number of a process that has ended.
std::string dead_process() {
  Child child([] { return 0; });
  const auto number = std::to_string(child.pid());
  child.wait();
  return number;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(leftovers)

BOOST_AUTO_TEST_CASE(what_a_dead_job_left_is_removed_with_its_shared_memory) {
  const Top top;
  const auto job = top.job("pid." + dead_process()), daemons = top.job("jf.4711");
  const auto first = top.segment("vader_segment.vm.0.1.0"), second = top.segment("vader_segment.vm.0.1.1");
  const auto others = top.segment("vader_segment.vm.0.2.0");
  top.mark(job, 0, first);
  top.mark(job, 1, second);
  top.mark(daemons, 2, "");
  const auto told = top.clean();
  BOOST_TEST(told.size() == 2u);
  BOOST_TEST((told[0] + told[1]).find(job.string()) != std::string::npos, told[0] + told[1]);
  for (const auto& gone : {job, daemons, first, second}) BOOST_TEST(!fs::exists(gone), gone.string());
  BOOST_TEST(fs::exists(others));
  BOOST_TEST(top.clean().empty());
}

BOOST_AUTO_TEST_CASE(session_folders_of_open_mpi_5_stand_among_others) {
  const Top top;
  const auto user = "." + std::to_string(geteuid());
  const auto dead = top.job("prterun.a.b." + dead_process() + user);
  const auto alive = top.job("prterun.a.b." + std::to_string(getpid()) + user);
  const auto another = top.job("prterun.a.b." + dead_process() + user + "1");  // another user's
  const auto segment = top.segment("sm_segment.vm.0.1.0");
  top.mark(dead, 0, segment);
  top.mark(alive, 0, "");
  top.mark(another, 0, "");
  BOOST_TEST(top.clean().size() == 1u);
  for (const auto& gone : {dead, segment}) BOOST_TEST(!fs::exists(gone), gone.string());
  for (const auto& stays : {alive, another}) BOOST_TEST(fs::exists(stays), stays.string());
}

BOOST_AUTO_TEST_CASE(a_job_stays_while_one_of_its_processes_lives) {
  const Top top;
  const auto job = top.job("pid." + dead_process());
  const auto segment = top.segment("vader_segment.vm.0.1.0");
  top.mark(job, 0, segment);
  const auto mark = top.mark(job, 1, segment);
  const int lock = open(mark.c_str(), O_RDWR);
  BOOST_REQUIRE(flock(lock, LOCK_EX) == 0);
  BOOST_TEST(top.clean().empty());
  BOOST_TEST(fs::exists(segment));
  close(lock);
  BOOST_TEST(top.clean().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_job_stays_while_its_mpirun_lives) {
  const Top top;
  const auto job = top.job("pid." + std::to_string(getpid()));
  top.mark(job, 0, "");
  BOOST_TEST(top.clean().empty());
  BOOST_TEST(fs::exists(job));
}

BOOST_AUTO_TEST_CASE(a_job_of_another_container_stays) {
  const Top top;
  const auto job = top.job("pid." + dead_process());
  const auto mark = top.mark(job, 0, "");
  std::stringstream text;
  text << std::ifstream(mark).rdbuf();
  BOOST_REQUIRE(text.str().starts_with("processes "));
  std::ofstream(mark) << "processes 1 " << text.str().substr(10);  // the same process numbers mean others there
  BOOST_TEST(top.clean().empty());
  std::ofstream(mark) << "";  // it does not say
  BOOST_TEST(top.clean().empty());
  std::ofstream(mark) << text.str();
  BOOST_TEST(top.clean().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_folder_that_another_job_begins_to_use_stays) {
  const Top top;
  const auto job = top.job("jf.4711");
  const auto mark = top.mark(job, 0, "");
  const auto begun = fs::last_write_time(mark) + std::chrono::seconds(10);
  fs::last_write_time(job / "contact.txt", begun);
  BOOST_TEST(top.clean().empty());
  fs::last_write_time(mark, begun);  // it was the same
  BOOST_TEST(top.clean().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_living_process_has_its_mark_beside_that_of_a_dead_one) {
  const Top top;
  const auto job = top.job("pid." + dead_process());
  top.mark(job, 3, "");
  Child stager([&] {
    setenv("OMPI_FILE_LOCATION", (job / "1" / "0").c_str(), 1);
    setenv("OMPI_COMM_WORLD_RANK", "3", 1);
    mpi::Mark mark;
    mark.leave();
    return top.clean().empty() ? 0 : 1;
  });
  BOOST_TEST(stager.wait() == 0);
  BOOST_TEST(top.clean().size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_not_ours_stays) {
  const Top top;
  const auto unmarked = top.job("pid." + dead_process());
  const auto job = top.job("pid." + dead_process());
  const auto precious = top.segment("precious");  // a mark may name what it likes
  top.mark(job, 0, precious);
  BOOST_TEST(top.clean().size() == 1u);
  BOOST_TEST(fs::exists(unmarked));
  BOOST_TEST(fs::exists(precious));
  if (geteuid() != 0) return;  // only root can give folders away
  const auto theirs = top.job("pid." + dead_process());
  top.mark(theirs, 0, "");
  BOOST_REQUIRE(chown(theirs.c_str(), 65534, 65534) == 0);
  BOOST_TEST(top.clean().empty());
  BOOST_TEST(fs::exists(theirs));
}

BOOST_AUTO_TEST_CASE(a_process_leaves_its_mark_while_it_lives) {
  const Top top;
  const auto job = top.job("pid." + dead_process());
  Child stager([&] {
    setenv("OMPI_FILE_LOCATION", (job / "1" / "0").c_str(), 1);
    setenv("OMPI_COMM_WORLD_RANK", "3", 1);
    {
      mpi::Mark mark;
      mark.leave();
      if (!fs::exists(job / "1" / "0" / "headrace.mark.3") || !top.clean().empty()) return 1;
    }
    if (fs::exists(job / "1" / "0" / "headrace.mark.3")) return 2;
    mpi::Mark left;
    left.leave();
    _exit(3);  // without an end, as by a signal
  });
  BOOST_TEST(stager.wait() == 3);
  BOOST_TEST(top.clean().size() == 1u);
  BOOST_TEST(!fs::exists(job));
}

BOOST_AUTO_TEST_SUITE_END()
