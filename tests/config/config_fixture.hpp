// Loads configurations for the tests: a TOML text in a folder of its own, flags, variables.
#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "config/load.hpp"
#include "texts.hpp"

namespace headrace::config {

struct ConfigFixture {
  ConfigFixture() { std::filesystem::create_directories(folder); }
  ~ConfigFixture() { std::filesystem::remove_all(folder); }

  std::string write(const std::string& text) const {
    std::filesystem::remove(folder / "lcd.toml");  // a file written over is flushed to disk by some file systems
    std::ofstream(folder / "lcd.toml") << text;
    return (folder / "lcd.toml").string();
  }
  Config load(std::vector<std::string> args, const Environment& variables = {}) const {
    const Command command{"serve", "[FILE...]", "Serves.", "", true, {{"json", 'j', "FILE", "", "writes"}}};
    Mistakes mistakes;
    const auto arguments = parse_arguments(command, args, mistakes);
    return load_config(arguments, variables, mistakes);
  }
  Config toml(const std::string& text, std::vector<std::string> args = {}, const Environment& variables = {}) const {
    args.insert(args.begin(), {"-c", write(text)});
    return load(args, variables);
  }
  /// The message of the UsageError, with the folder's path taken out.
  template <class Step>
  std::string mistake(Step&& step) const {
    try {
      step();
    } catch (const UsageError& error) {
      std::string text = error.what();
      const auto prefix = folder.string() + "/";
      for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) text.erase(at, prefix.size());
      return text;
    }
    return "no mistake";
  }
  std::string toml_mistake(const std::string& text, std::vector<std::string> args = {},
                           const Environment& variables = {}) const {
    return mistake([&] { toml(text, args, variables); });
  }
  std::string flag_mistake(std::vector<std::string> args, const Environment& variables = {}) const {
    return mistake([&] { load(args, variables); });
  }

  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("headrace-config-" + std::to_string(getpid()));
};

}  // namespace headrace::config
