#include "commands/picture.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/error.hpp"
#include "base/process_start.hpp"

namespace headrace::commands {

namespace {

constexpr int no_matplotlib = 3;  // the scripts' exit code

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// python3 -c SCRIPT PATH with this text as its input; its exit code, or 127 where there is no python3.
int run_python(std::string script, const std::string& input, std::string target) {
  const std::unique_ptr<std::FILE, Close> file(std::tmpfile());
  if (!file) throw_errno("tmpfile");
  if (std::fwrite(input.data(), 1, input.size(), file.get()) != input.size() || std::fflush(file.get()) != 0)
    throw_errno("write to a temporary file");
  std::rewind(file.get());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(file.get()), 0);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);
  std::string name = "python3", flag = "-c";
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const auto usual = signals_to_restore();
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  char* arguments[] = {name.data(), flag.data(), script.data(), target.data(), nullptr};
  pid_t child = 0;
  const int failure = posix_spawnp(&child, name.c_str(), &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return 127;
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw_errno("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

void draw_picture(const std::string& script, const std::string& input, const std::string& path) {
  const auto code = run_python(script, input, path);
  require(code != no_matplotlib && code != 127,
          std::string("--plot draws with Python and matplotlib (") +
              (code == 127 ? "there is no python3" : "python3 has no matplotlib") +
              "); install them, as in: python3 -m pip install matplotlib");
  require(code == 0, "the plot '" + path + "' could not be drawn (python3 ended with code " + std::to_string(code) +
                         "); is the folder there, and the ending .png, .pdf or .svg?");
}

}  // namespace headrace::commands
