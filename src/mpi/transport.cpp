#include "mpi/transport.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

#include "mpi/check.hpp"

namespace headrace::mpi {

namespace {

/// MPI's tool interface, which knows the settings in force wherever they come from: environment, file or command line.
class Tool {
 public:
  Tool() {
    int provided = 0;
    check(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided), "MPI_T_init_thread");
  }
  ~Tool() { MPI_T_finalize(); }
  Tool(const Tool&) = delete;
  Tool& operator=(const Tool&) = delete;

  /// None where this library has no such setting, or has not opened what it belongs to.
  std::optional<std::string> setting(const char* name) const {
    int index = 0, count = 0;
    MPI_Datatype type = MPI_DATATYPE_NULL;
    if (MPI_T_cvar_get_index(name, &index) != MPI_SUCCESS || !has_type(index, type)) return std::nullopt;
    MPI_T_cvar_handle handle = nullptr;
    if (MPI_T_cvar_handle_alloc(index, nullptr, &handle, &count) != MPI_SUCCESS) return std::nullopt;
    auto value = type == MPI_CHAR ? text(handle, count) : number(handle, type);
    MPI_T_cvar_handle_free(&handle);
    return value;
  }

 private:
  static bool has_type(int index, MPI_Datatype& type) {
    int verbosity = 0, binding = 0, scope = 0;
    return MPI_T_cvar_get_info(index, nullptr, nullptr, &verbosity, &type, nullptr, nullptr, nullptr, &binding,
                               &scope) == MPI_SUCCESS;
  }
  static std::optional<std::string> text(MPI_T_cvar_handle handle, int count) {
    std::string value(static_cast<std::size_t>(std::max(count, 1)), '\0');
    if (MPI_T_cvar_read(handle, value.data()) != MPI_SUCCESS) return std::nullopt;
    return std::string(value.c_str());
  }
  static std::optional<std::string> number(MPI_T_cvar_handle handle, MPI_Datatype type) {
    int value = 0;
    if ((type != MPI_INT && type != MPI_UNSIGNED) || MPI_T_cvar_read(handle, &value) != MPI_SUCCESS)
      return std::nullopt;
    return std::to_string(value);
  }
};

std::string version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING + 1> text{};
  int length = 0;
  check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  const std::string whole(text.data());
  return whole.substr(0, whole.find_first_of(",\n"));
}

}  // namespace

Transport transport() {
  Transport transport{version(), {}, {}};
  const Tool tool;
  for (const auto* name : {"pml", "btl", "btl_tcp_flags"})
    if (const auto value = tool.setting(name); value && !value->empty()) transport.settings.emplace_back(name, *value);
  // The setting is there when MPI has opened its TCP transport; these two send without it all the same.
  const auto pml = tool.setting("pml").value_or("");
  if (tool.setting("btl_tcp_flags") && pml != "ucx" && pml != "cm")
    std::getline(std::ifstream("/proc/sys/net/ipv4/tcp_congestion_control"), transport.congestion_control);
  return transport;
}

}  // namespace headrace::mpi
