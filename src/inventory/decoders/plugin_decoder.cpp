#include "inventory/decoders/plugin_decoder.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <headrace/decoder.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/trust.hpp"
#include "base/user_file.hpp"

namespace headrace::inventory {

namespace {

using Reason = std::array<char, 512>;

/// What a decoder wrote, whether it ended it or not.
std::string written(const Reason& text) {
  const std::string result(text.begin(), std::find(text.begin(), text.end(), '\0'));
  return result.empty() ? "it gives no reason" : printable(result);
}

class PluginDecoder : public Decoder {
 public:
  explicit PluginDecoder(const std::string& argument)
      : path_(argument.substr(0, argument.find(':'))),
        args_(argument.substr(std::min(path_.size() + 1, argument.size()))) {
    // Without a folder, dlopen would look among the system's libraries, not in the working directory.
    const auto file = path_.find('/') == std::string::npos ? "./" + path_ : path_;
    constexpr auto remedy = "; give the path of a shared library";
    if (::access(file.c_str(), R_OK) != 0) refuse(errno_text("open", errno) + remedy);
    if (const auto type = instead_of_file(file); !type.empty()) refuse("it is " + type + remedy);
    if (const auto why = distrust_library(file); !why.empty()) refuse(why);
    library_.reset(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!library_) refuse(std::string(dlerror()) + remedy);
    open();
  }
  PluginDecoder(const PluginDecoder&) = delete;
  PluginDecoder& operator=(const PluginDecoder&) = delete;
  ~PluginDecoder() override {
    if (close_ != nullptr) close_(state_);
  }

  Form form_of(Content content) const override {
    hr_decoder_array array{};
    array.size = sizeof array;
    call(content, [&](hr_decoder_file& file) { return form_(state_, &file, &array); });
    const auto dtype = array.type == nullptr ? std::nullopt : dtype_named(array.type);
    if (!dtype || array.axes > HR_DECODER_AXES)
      throw Error(fmt::format("decoder '{}' names no type ('{}') or more than {} axes ({})", path_,
                              array.type == nullptr ? "" : printable(array.type), HR_DECODER_AXES, array.axes));
    return {number_type(*dtype, false), {array.shape, array.shape + array.axes}};
  }
  void decode(Content content, const Form& form, std::byte* to) const override {
    call(content, [&](hr_decoder_file& file) { return decode_(state_, &file, to, form.bytes()); });
  }

 private:
  struct Unload {
    void operator()(void* library) const { dlclose(library); }
  };

  [[noreturn]] void refuse(const std::string& why) const {
    throw UsageError(fmt::format("decoder 'plugin:{}' cannot be used: {}", path_, why));
  }

  template <class Function>
  void find(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(dlsym(library_.get(), name));
    if (function == nullptr)
      refuse(
          fmt::format("it does not define {} (a decoder defines hr_decoder_abi, _open, _form, _decode and _close, "
                      "unmangled); see headrace/decoder.h",
                      name));
  }

  void open() {
    int (*abi)() = nullptr;
    int (*open_it)(const hr_decoder_setup*, void**) = nullptr;
    void (*close_it)(void*) = nullptr;
    find("hr_decoder_abi", abi);
    if (const int version = abi(); version != HR_DECODER_ABI)
      refuse(fmt::format("it was built for version {} of headrace/decoder.h, this is version {}; build it again",
                         version, HR_DECODER_ABI));
    find("hr_decoder_open", open_it);
    find("hr_decoder_form", form_);
    find("hr_decoder_decode", decode_);
    find("hr_decoder_close", close_it);
    Reason why{};
    const hr_decoder_setup setup{sizeof(hr_decoder_setup), args_.c_str(), why.data(), why.size()};
    if (open_it(&setup, &state_) != 0) refuse(written(why));
    close_ = close_it;
  }

  template <class Call>
  void call(Content content, Call&& call) const {
    Reason why{};
    hr_decoder_file file{sizeof(hr_decoder_file), content.data(), content.size(), why.data(), why.size()};
    if (call(file) != 0) throw Error(fmt::format("decoder '{}': {}", path_, written(why)));
  }

  std::string path_, args_;
  std::unique_ptr<void, Unload> library_;
  void* state_ = nullptr;
  int (*form_)(void*, hr_decoder_file*, hr_decoder_array*) = nullptr;
  int (*decode_)(void*, hr_decoder_file*, void*, std::uint64_t) = nullptr;
  void (*close_)(void*) = nullptr;
};

}  // namespace

std::unique_ptr<Decoder> open_plugin_decoder(const std::string& argument) {
  return std::make_unique<PluginDecoder>(argument);
}

}  // namespace headrace::inventory
