// What a process chooses of Open MPI before it starts; each case is a process of its own, whose environment it changes.
#include "mpi/settings.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

using namespace headrace::mpi;

BOOST_AUTO_TEST_SUITE(settings)

namespace {

using Variables = std::map<std::string, std::string>;

struct Folder {
  Folder() {
    char name[] = "/tmp/headrace-settings-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
    return path / name;
  }
  std::filesystem::path path;
};

/// As containers do: reading another process's memory is refused, one's own as well.
bool forbid_foreign_memory() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offsetof(seccomp_data, nr))),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// The settings in the environment of a process that started with these variables and no other of Open MPI.
Variables chosen(const Variables& before, bool forbidden = false) {
  int line[2];
  BOOST_REQUIRE(pipe(line) == 0);
  const pid_t child = fork();
  if (child == 0) {
    clearenv();
    for (const auto& [name, value] : before) setenv(name.c_str(), value.c_str(), 1);
    if (forbidden && !forbid_foreign_memory()) _exit(77);
    choose_settings();
    for (char** variable = environ; *variable != nullptr; ++variable) dprintf(line[1], "%s\n", *variable);
    _exit(0);
  }
  close(line[1]);
  Variables after;
  FILE* said = fdopen(line[0], "r");
  for (char text[4096]; fgets(text, sizeof(text), said) != nullptr;) {
    const std::string variable(text, std::string(text).size() - 1);
    if (const auto name = variable.substr(0, variable.find('=')); name.starts_with("OMPI_MCA_"))
      after[name.substr(9)] = variable.substr(name.size() + 1);
  }
  fclose(said);
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
  return after;
}

const Variables no_files{{"OMPI_MCA_mca_base_param_files", "/nowhere"}};

Variables with(Variables some, const Variables& more) {
  some.insert(more.begin(), more.end());
  return some;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_nobody_has_set) {
  const auto after = chosen(no_files);
  BOOST_TEST(after.at("btl_tcp_flags") == "57");
  BOOST_TEST(after.at("mpi_yield_when_idle") == "1");
}

BOOST_AUTO_TEST_CASE(the_environment_wins) {
  const auto after = chosen(with(no_files, {{"OMPI_MCA_btl_tcp_flags", "11"}, {"OMPI_MCA_mpi_yield_when_idle", "0"}}));
  BOOST_TEST(after.at("btl_tcp_flags") == "11");
  BOOST_TEST(after.at("mpi_yield_when_idle") == "0");
  BOOST_TEST(chosen(with(no_files, {{"OMPI_MCA_btl_tcp_flags", ""}})).at("btl_tcp_flags") == "");  // set to nothing
}

BOOST_AUTO_TEST_CASE(a_file_that_is_named_wins) {
  const Folder folder;
  const auto flags = folder.write("a.conf", "# comment\n\n  btl_tcp_flags=11  # why\n");
  const auto idle = folder.write("b.conf", "mca mpi_yield_when_idle 0\n");
  auto after = chosen({{"OMPI_MCA_mca_base_param_files", flags.string() + "," + idle.string()}});
  BOOST_TEST(after.count("btl_tcp_flags") == 0u);  // Open MPI itself reads it there
  BOOST_TEST(after.count("mpi_yield_when_idle") == 0u);
  after = chosen({{"OMPI_MCA_mca_base_param_files", idle.string()}});
  BOOST_TEST(after.count("btl_tcp_flags") == 1u);
  BOOST_TEST(after.count("mpi_yield_when_idle") == 0u);
  after = chosen(with(no_files, {{"OMPI_MCA_mca_base_param_file_prefix", flags.string()}}));
  BOOST_TEST(after.count("btl_tcp_flags") == 0u);
}

BOOST_AUTO_TEST_CASE(the_file_of_a_user_wins) {
  const Folder home;
  home.write(".openmpi/mca-params.conf", "btl_tcp_flags = 11\n");
  const auto after = chosen({{"HOME", home.path.string()}});
  BOOST_TEST(after.count("btl_tcp_flags") == 0u);
}

BOOST_AUTO_TEST_CASE(the_file_of_an_installation_wins) {
  const Folder moved;
  moved.write("etc/openmpi-mca-params.conf", "btl_tcp_flags = 11\n");
  const auto after = chosen({{"OPAL_PREFIX", moved.path.string()}});
  BOOST_TEST(after.count("btl_tcp_flags") == 0u);
  const auto files = setting_files();  // beside the library that this program runs with
  BOOST_TEST(std::count(files.begin(), files.end(), "/usr/etc/openmpi-mca-params.conf") +
                 std::count(files.begin(), files.end(), "/etc/openmpi/openmpi-mca-params.conf") >=
             1);
}

BOOST_AUTO_TEST_CASE(lines_of_files) {
  const Folder folder;
  const auto file = folder.write("f", "a = 1\nb=2\n# c = 3\n\td\t4\n--mca e 5\nmca_x = 6\n-mca g\n");
  for (const char* name : {"a", "b", "d", "e", "mca_x", "g"}) BOOST_TEST(is_set_in(file, name), name);
  for (const char* name : {"c", "1", "mca", "x", "aa"}) BOOST_TEST(!is_set_in(file, name), name);
  BOOST_TEST(!is_set_in(folder.path / "missing", "a"));
  BOOST_TEST(!is_set_in(folder.path, "a"));
}

BOOST_AUTO_TEST_CASE(a_job_on_one_node) {
  const auto ranks = [](const char* all, const char* here) {
    return with(no_files, {{"OMPI_COMM_WORLD_SIZE", all}, {"OMPI_COMM_WORLD_LOCAL_SIZE", here}});
  };
  BOOST_TEST(chosen(no_files).at("reachable") == "weighted");  // alone
  BOOST_TEST(chosen(ranks("3", "3")).at("reachable") == "weighted");
  BOOST_TEST(chosen(ranks("3", "2")).count("reachable") == 0u);
  BOOST_TEST(chosen(with(ranks("3", "3"), {{"OMPI_MCA_reachable", "netlink"}})).at("reachable") == "netlink");
  const Variables step{{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_NODES", "1"}};
  BOOST_TEST(chosen(with(no_files, step)).at("reachable") == "weighted");
  BOOST_TEST(chosen(with(no_files, {{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_NODES", "2"}})).count("reachable") == 0u);
  BOOST_TEST(chosen(with(no_files, {{"PMIX_RANK", "0"}})).count("reachable") == 0u);  // nobody tells
}

BOOST_AUTO_TEST_CASE(where_reading_foreign_memory_is_forbidden) {
  const auto free = chosen(no_files);
  BOOST_TEST(free.count("btl_vader_single_copy_mechanism") == free.count("smsc"));
  const auto contained = chosen(no_files, true);
  BOOST_TEST(contained.at("btl_vader_single_copy_mechanism") == "none");
  BOOST_TEST(contained.at("smsc") == "^cma");
  const auto own = chosen(with(no_files, {{"OMPI_MCA_btl_vader_single_copy_mechanism", "emulated"}}), true);
  BOOST_TEST(own.at("btl_vader_single_copy_mechanism") == "emulated");
}

BOOST_AUTO_TEST_SUITE_END()
