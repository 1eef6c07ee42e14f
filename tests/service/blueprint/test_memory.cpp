// Trees of /proc and /sys as kernels and container engines make them.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <vector>

#include "service/blueprint/memory.hpp"

using namespace headrace::service::blueprint;

namespace {

constexpr std::uint64_t giga = 1'000'000'000;

struct Machine {
  std::filesystem::path root = std::filesystem::temp_directory_path() / ("headrace-memory-" + std::to_string(getpid()));

  Machine() {
    std::filesystem::remove_all(root);
    file("/proc/meminfo", "MemTotal:       65536000 kB\nMemFree:        1000 kB\nMemAvailable:   40000000 kB\n");
  }
  ~Machine() { std::filesystem::remove_all(root); }

  void file(const std::string& path, const std::string& text) const {
    const auto place = root / path.substr(1);
    std::filesystem::create_directories(place.parent_path());
    std::ofstream(place) << text;
  }
  void v2(const std::string& mounted_part, const std::string& group) const {
    file("/proc/self/cgroup", "0::" + group + "\n");
    file("/proc/self/mountinfo",
         "22 28 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n"
         "30 23 0:26 " +
             mounted_part + " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void v1(const std::string& mounted_part, const std::string& group) const {
    file("/proc/self/cgroup", "11:cpu,cpuacct:/elsewhere\n9:memory:" + group + "\n1:name=systemd:/user\n0::/user\n");
    file("/proc/self/mountinfo",
         "30 23 0:26 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n"
         "33 23 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n"
         "36 23 0:32 " +
             mounted_part + " /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n");
  }
  void limit_v2(const std::string& group, const std::string& max, std::uint64_t used,
                const std::string& stat = "") const {
    const auto folder = "/sys/fs/cgroup" + group;
    file(folder + "/memory.max", max + "\n");
    file(folder + "/memory.current", std::to_string(used) + "\n");
    file(folder + "/memory.stat", stat);
  }
  void limit_v1(const std::string& group, std::uint64_t max, std::uint64_t used, const std::string& stat = "") const {
    const auto folder = "/sys/fs/cgroup/memory" + group;
    file(folder + "/memory.limit_in_bytes", std::to_string(max) + "\n");
    file(folder + "/memory.usage_in_bytes", std::to_string(used) + "\n");
    file(folder + "/memory.stat", stat);
  }
  void expect(std::uint64_t available, const std::string& by) const {
    const auto found = available_memory(root.string());
    BOOST_TEST(found.available == available);
    BOOST_TEST(found.by == by);
  }
};

constexpr std::uint64_t mem_available = 40000000ull * 1024;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(memory, Machine)

BOOST_AUTO_TEST_CASE(no_cgroups) {
  expect(mem_available, "MemAvailable");
}

BOOST_AUTO_TEST_CASE(v2_own_limit) {
  v2("/", "/slurm/job_17/step_0");
  limit_v2("/slurm/job_17/step_0", std::to_string(8 * giga), 3 * giga);
  expect(5 * giga, "cgroup /slurm/job_17/step_0 (memory.max)");
}

BOOST_AUTO_TEST_CASE(v2_tightest_of_all_ancestors) {
  v2("/", "/slurm/job_17/step_0");
  limit_v2("/slurm/job_17/step_0", "max", giga);
  limit_v2("/slurm/job_17", std::to_string(6 * giga), 2 * giga);
  limit_v2("/slurm", std::to_string(30 * giga), 28 * giga);
  expect(2 * giga, "cgroup /slurm (memory.max)");
  limit_v2("/slurm", "max", 28 * giga);
  expect(4 * giga, "cgroup /slurm/job_17 (memory.max)");
}

BOOST_AUTO_TEST_CASE(v2_no_limit_or_a_wide_one) {
  v2("/", "/user.slice");
  limit_v2("/user.slice", "max", giga);
  expect(mem_available, "MemAvailable");
  limit_v2("/user.slice", std::to_string(400 * giga), giga);
  expect(mem_available, "MemAvailable");
}

BOOST_AUTO_TEST_CASE(page_cache_gives_way) {
  v2("/", "/job");
  const auto stat =
      "anon 1000000000\nfile 7000000000\nshmem 2000000000\ninactive_anon 3000000000\n"
      "active_file 1500000000\ninactive_file 3500000000\n";
  limit_v2("/job", std::to_string(10 * giga), 8 * giga, stat);
  expect(7 * giga, "cgroup /job (memory.max)");  // 10 - (8 - 3.5 - 1.5): files give way, shared memory does not
}

BOOST_AUTO_TEST_CASE(more_used_than_allowed) {
  v2("/", "/job");
  limit_v2("/job", std::to_string(giga), 2 * giga);
  expect(0, "cgroup /job (memory.max)");
  limit_v2("/job", std::to_string(giga), giga / 2,
           "inactive_file 9000000000\n");  // counters are not read at one moment
  expect(giga, "cgroup /job (memory.max)");
}

BOOST_AUTO_TEST_CASE(v2_container_with_a_namespace_of_its_own) {
  v2("/", "/");
  limit_v2("", std::to_string(4 * giga), giga);
  expect(3 * giga, "cgroup / (memory.max)");
}

BOOST_AUTO_TEST_CASE(container_that_sees_its_part_only) {
  v1("/docker/abc", "/docker/abc");
  limit_v1("", 4 * giga, giga);
  expect(3 * giga, "cgroup / (memory.limit_in_bytes)");
  v1("/docker/abc", "/docker/abc/job");
  limit_v1("/job", 2 * giga, giga);
  expect(giga, "cgroup /job (memory.limit_in_bytes)");
}

BOOST_AUTO_TEST_CASE(a_group_whose_name_begins_like_the_mounted_part) {
  v1("/docker/abc", "/docker/abcdef");
  limit_v1("/docker/abcdef", 2 * giga, giga);
  limit_v1("/def", giga, giga);  // what a cut through the name would find
  expect(giga, "cgroup /docker/abcdef (memory.limit_in_bytes)");
}

BOOST_AUTO_TEST_CASE(v1_nested_with_totals_of_the_cache) {
  v1("/", "/slurm/uid_1/job_17");
  limit_v1("/slurm/uid_1/job_17", 10 * giga, 9 * giga,
           "inactive_file 1\nactive_file 1\ntotal_inactive_file 2000000000\ntotal_active_file 1000000000\n");
  limit_v1("/slurm/uid_1", 9223372036854771712ull, 9 * giga);  // no limit
  limit_v1("", 9223372036854771712ull, 50 * giga);
  expect(4 * giga, "cgroup /slurm/uid_1/job_17 (memory.limit_in_bytes)");
  limit_v1("/slurm", 11 * giga, 10 * giga);
  expect(giga, "cgroup /slurm (memory.limit_in_bytes)");
}

BOOST_AUTO_TEST_CASE(hybrid_where_only_v1_has_the_controller) {
  v1("/", "/job");
  file("/sys/fs/cgroup/unified/user/cgroup.procs", "1\n");
  limit_v1("/job", 3 * giga, giga);
  expect(2 * giga, "cgroup /job (memory.limit_in_bytes)");
}

BOOST_AUTO_TEST_CASE(nonsense_in_the_files) {
  v2("/", "/job");
  limit_v2("/job", "", giga);
  expect(mem_available, "MemAvailable");
  file("/proc/self/cgroup", "\n:\nabc\n0:\n");
  file("/proc/self/mountinfo", "\n1 2\n- - - -\n");
  expect(mem_available, "MemAvailable");
}

BOOST_AUTO_TEST_CASE(own_memory_is_what_no_file_is_mapped_for) {
  file("/proc/self/statm", "70000 5000 2000 100 0 3000 0\n");
  BOOST_TEST(own_memory(root.string()) == 3000u * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  file("/proc/self/statm", "");
  BOOST_TEST(own_memory(root.string()) == 0u);
  const auto before = own_memory();
  const std::vector<char> more(100 << 20, 'x');
  BOOST_TEST(own_memory() >= before + (90u << 20));
  BOOST_TEST(more.back() == 'x');
}

BOOST_AUTO_TEST_CASE(this_machine) {
  BOOST_TEST(available_memory().available > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
