#include "transform/plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <headrace/plugin.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "base/trust.hpp"
#include "base/user_file.hpp"

namespace headrace::transform {
namespace {

using Text = std::array<char, 512>;

/// What a plugin wrote, whether it ended it or not.
std::string written(const Text& text) {
  std::string result(text.begin(), std::find(text.begin(), text.end(), '\0'));
  return result.empty() ? "it gives no reason" : result;
}

/// Without a folder, dlopen would look among the system's libraries, not in the working directory.
std::string file_of(const std::string& path) {
  return path.find('/') == std::string::npos ? "./" + path : path;
}

}  // namespace

void Plugin::refuse(const std::string& path, const std::string& why) {
  throw UsageError(fmt::format("plugin '{}' cannot be used: {}", path, why));
}

void Plugin::look_at(const std::string& path) {
  const auto file = file_of(path);
  if (access(file.c_str(), R_OK) != 0) refuse(path, errno_text("open", errno) + "; give the path of a shared library");
  if (const auto type = instead_of_file(file); !type.empty())
    refuse(path, "it is " + type + "; give the path of a shared library");
  if (const auto why = distrust_library(file); !why.empty()) refuse(path, why);
}

void* Plugin::symbol(const char* name) const {
  void* const found = dlsym(library_, name);
  if (found == nullptr)
    refuse(
        fmt::format("it does not define {} (a plugin defines hr_plugin_abi, _open, _apply and _close, unmangled); "
                    "see headrace/plugin.h",
                    name));
  return found;
}

Plugin::Plugin(std::string path, const Setup& setup) : path_(std::move(path)) {
  look_at(path_);
  library_ = dlopen(file_of(path_).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) refuse(fmt::format("{}; give the path of a shared library", dlerror()));
  try {
    open(setup);
  } catch (...) {
    dlclose(library_);
    throw;
  }
}

void Plugin::open(const Setup& setup) {
  const auto abi = reinterpret_cast<int (*)()>(symbol("hr_plugin_abi"));
  if (const int version = abi(); version != HR_PLUGIN_ABI)
    refuse(fmt::format("it was built for version {} of headrace/plugin.h, this is version {}; build it again", version,
                       HR_PLUGIN_ABI));
  const auto open_it = reinterpret_cast<int (*)(const hr_plugin_setup*, void**)>(symbol("hr_plugin_open"));
  apply_ = reinterpret_cast<int (*)(void*, hr_plugin_block*)>(symbol("hr_plugin_apply"));
  close_ = reinterpret_cast<void (*)(void*)>(symbol("hr_plugin_close"));
  std::vector<const char*> names;
  for (const auto& name : setup.columns) names.push_back(name.c_str());
  Text why{};
  hr_plugin_setup its{};
  its.size = sizeof(its);
  its.args = setup.args.c_str();
  its.dataset = setup.dataset.c_str();
  its.columns = static_cast<std::uint32_t>(names.size());
  its.column_names = names.data();
  its.records = setup.records;
  its.error = why.data();
  its.error_bytes = why.size();
  if (open_it(&its, &state_) != 0) refuse(written(why));
}

Plugin::~Plugin() {
  close_(state_);
  dlclose(library_);
}

template <class W>
void Plugin::apply(W* values, const std::uint8_t* valid, std::uint64_t rows, std::uint64_t records,
                   std::uint32_t columns) const {
  Text why{};
  hr_plugin_block block{};
  block.size = sizeof(block);
  block.type = std::is_same_v<W, float> ? HR_PLUGIN_FLOAT32 : HR_PLUGIN_FLOAT64;
  block.columns = columns;
  block.rows = rows;
  block.records = records;
  block.values = values;
  block.valid = valid;
  block.error = why.data();
  block.error_bytes = why.size();
  if (apply_(state_, &block) == 0) return;
  throw Refusal(std::min(block.failing_row, rows - 1), fmt::format("plugin '{}': {}", path_, written(why)));
}

template void Plugin::apply<float>(float*, const std::uint8_t*, std::uint64_t, std::uint64_t, std::uint32_t) const;
template void Plugin::apply<double>(double*, const std::uint8_t*, std::uint64_t, std::uint64_t, std::uint32_t) const;

}  // namespace headrace::transform
