#include "mpi/settings.hpp"

#include <dlfcn.h>
#include <mpi.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "mpi/launcher.hpp"

namespace headrace::mpi {

namespace {

constexpr const char* own_files = "OMPI_MCA_mca_base_param_files";  // the user names all of them

struct Setting {
  const char* name;
  const char* value;
};

// Large contiguous receives take PUT by default, which halves full duplex over TCP: on links of 1 Gbit/s 2 MB messages
// rose from 0.61 to 0.94 of the link between two nodes. What is left of the default is SEND, SEND_INPLACE, NEED_ACK,
// NEED_CSUM.
constexpr Setting without_put{"btl_tcp_flags", "57"};
// Blocking calls give way to the trainers on shared cores: small collectives took 0.1 ms instead of 8 ms.
constexpr Setting yield{"mpi_yield_when_idle", "1"};
// One process reads another's memory, unless that is forbidden; Open MPI 4 then fails, Open MPI 5 warns, instead of
// doing without. Each has a name of its own for it.
constexpr std::array no_foreign_memory{Setting{"btl_vader_single_copy_mechanism", "none"}, Setting{"smsc", "^cma"}};
// Open MPI 5 asks the kernel which addresses reach each other, finds no route to this node's own, and says so of each
// pair of ranks, "Unable to find reachable pairing", though these share memory. Between nodes what it finds is right.
constexpr Setting by_subnet{"reachable", "weighted"};

/// Whether this process may read memory by process_vm_readv: containers that forbid it do so even for its own.
bool may_read_foreign_memory() {
  char from = 1, to = 0;
  const iovec source{&from, 1}, target{&to, 1};
  return process_vm_readv(getpid(), &target, 1, &source, 1, 0) == 1;
}

/// Where Open MPI is installed has its settings, too: PREFIX/lib.../libmpi.so gives PREFIX/etc.
std::vector<std::filesystem::path> folders_of_library() {
  std::vector<std::filesystem::path> folders;
  if (const char* moved = std::getenv("OPAL_PREFIX")) folders.emplace_back(std::filesystem::path(moved) / "etc");
  Dl_info library{};
  if (dladdr(reinterpret_cast<const void*>(&MPI_Init), &library) == 0 || library.dli_fname == nullptr) return folders;
  std::error_code error;
  auto folder = std::filesystem::weakly_canonical(library.dli_fname, error).parent_path();
  for (; folder.has_relative_path(); folder = folder.parent_path()) folders.push_back(folder / "etc");
  return folders;
}

std::vector<std::filesystem::path> files_named_by(const char* variable) {
  const char* value = std::getenv(variable);
  std::string list(value != nullptr ? value : "");
  std::replace(list.begin(), list.end(), ':', ',');
  std::istringstream names(list);
  std::vector<std::filesystem::path> files;
  for (std::string name; std::getline(names, name, ',');)
    if (!name.empty()) files.emplace_back(name);
  return files;
}

void set(const Setting& setting, const std::vector<std::filesystem::path>& files) {
  const auto in_file = [&](const auto& file) { return is_set_in(file, setting.name); };
  if (std::none_of(files.begin(), files.end(), in_file))
    ::setenv(("OMPI_MCA_" + std::string(setting.name)).c_str(), setting.value, 0);
}

}  // namespace

std::vector<std::filesystem::path> setting_files() {
  std::vector<std::filesystem::path> files = files_named_by("OMPI_MCA_mca_base_param_file_prefix");  // mpirun -am
  if (std::getenv(own_files) != nullptr) {
    for (auto& file : files_named_by(own_files)) files.push_back(std::move(file));
    return files;
  }
  if (const char* home = std::getenv("HOME")) files.push_back(std::filesystem::path(home) / ".openmpi/mca-params.conf");
  auto folders = folders_of_library();
  folders.emplace_back("/etc/openmpi");  // Debian's
  for (const auto& folder : folders) files.push_back(folder / "openmpi-mca-params.conf");
  return files;
}

bool is_set_in(const std::filesystem::path& file, std::string_view name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find('#'));
    std::replace(line.begin(), line.end(), '=', ' ');
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (const auto begin = word.find_first_not_of('-'); begin != std::string::npos && word.substr(begin) == "mca")
      words >> word;
    if (word == name) return true;
  }
  return false;
}

void choose_settings() {
  const auto files = setting_files();
  set(yield, files);
  set(without_put, files);
  if (is_on_one_node()) set(by_subnet, files);
  if (may_read_foreign_memory()) return;
  for (const auto& setting : no_foreign_memory) set(setting, files);
}

}  // namespace headrace::mpi
