// A user's function from a shared library (include/headrace/plugin.h). apply() may be called by any number of threads
// at once; the library's state is shared by them, and closed with the object.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

struct hr_plugin_setup;
struct hr_plugin_block;

namespace headrace::transform {

class Plugin {
 public:
  struct Setup {
    std::string args;
    std::string dataset;
    std::vector<std::string> columns;
    std::uint64_t records = 1;  ///< per row of the field (1 for a repeated item)
  };

  /// A row that the plugin refused.
  struct Refusal : std::runtime_error {
    Refusal(std::uint64_t row_, const std::string& what) : std::runtime_error(what), row(row_) {}
    std::uint64_t row;  ///< of the block
  };

  /// What can be said of a library without loading it, which would run its code: UsageError where it is not there, or
  /// others than this user or root may write it.
  static void look_at(const std::string& path);

  /// Throws UsageError that names the plugin: no such library, no plugin, another version, refused to open.
  Plugin(std::string path, const Setup& setup);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  const std::string& path() const { return path_; }

  /// Changes values[rows][records][columns] in place; valid[rows][records]. W: float or double. Throws Refusal.
  template <class W>
  void apply(W* values, const std::uint8_t* valid, std::uint64_t rows, std::uint64_t records,
             std::uint32_t columns) const;

 private:
  void* symbol(const char* name) const;
  void open(const Setup& setup);
  [[noreturn]] void refuse(const std::string& why) const { refuse(path_, why); }
  [[noreturn]] static void refuse(const std::string& path, const std::string& why);

  std::string path_;
  void* library_ = nullptr;
  void* state_ = nullptr;
  int (*apply_)(void*, hr_plugin_block*) = nullptr;
  void (*close_)(void*) = nullptr;
};

}  // namespace headrace::transform
