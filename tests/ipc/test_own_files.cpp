#include "ipc/own_files.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/error.hpp"
#include "texts.hpp"

using namespace headrace;
using namespace headrace::ipc;

namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("headrace-own." + std::to_string(getpid()));
  Folder() { fs::create_directory(path); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

void append(const std::string& path, const std::string& text) {
  const auto file = open_to_append(path, "log = " + path);
  BOOST_TEST(write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

/// At these names: what is no regular file.
void make_odd(const Folder& folder) {
  BOOST_REQUIRE(mkfifo((folder / "fifo").c_str(), 0666) == 0);
  fs::create_directory(folder / "folder");
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, (folder / "socket").c_str());
  BOOST_REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(fd);
  fs::create_symlink("/dev/null", folder / "device");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(own_files)

BOOST_AUTO_TEST_CASE(lines_are_appended_also_over_own_links) {
  const Folder folder;
  append(folder / "log", "one ");
  append(folder / "log", "two ");
  fs::create_symlink("log", folder / "link");
  fs::create_symlink(folder / "link", folder / "link of link");
  append(folder / "link", "three ");
  append(folder / "link of link", "four");
  BOOST_TEST(text_of(folder / "log") == "one two three four");
  fs::create_symlink("new", folder / "dangling");
  append(folder / "dangling", "made");
  BOOST_TEST(text_of(folder / "new") == "made");
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_refused_at_once_by_its_type) {
  const Folder folder;
  make_odd(folder);
  for (const auto& [name, kind] :
       {std::pair{"fifo", "a FIFO"}, {"folder", "a folder"}, {"socket", "a socket"}, {"device", "a device"}}) {
    const auto path = folder / name;
    const auto to_append = error_of([&] { open_to_append(path, "log = " + path); });
    BOOST_TEST(has(to_append, "log = " + path + " is " + kind), to_append);
    const auto to_replace = error_of([&] { require_replaceable(path, "metrics = " + path); });
    BOOST_TEST(has(to_replace, "metrics = " + path + " is "), to_replace);
  }
  const int reader = open((folder / "fifo").c_str(), O_RDONLY | O_NONBLOCK);  // with one it could be opened
  BOOST_TEST(has(error_of([&] { open_to_append(folder / "fifo", "log"); }), "FIFO"));
  close(reader);
  BOOST_TEST(has(error_of([&] { open_to_append(folder / "no/log", "log"); }), "No such file"));
  BOOST_TEST(has(error_of([&] { require_replaceable(folder / "no/m.prom", "metrics"); }), "No such file"));
  fs::create_symlink("loop", folder / "loop");
  BOOST_TEST(error_of([&] { open_to_append(folder / "loop", "log"); }) != "");
}

BOOST_AUTO_TEST_CASE(another_users_link_is_not_followed) {
  if (geteuid() != 0) return;  // only root can give links away
  const Folder folder;
  put(folder / "precious", "mine");
  fs::create_symlink("precious", folder / "trap");
  BOOST_REQUIRE(lchown((folder / "trap").c_str(), 65534, 65534) == 0);
  const auto error = error_of([&] { open_to_append(folder / "trap", "log = trap"); });
  BOOST_TEST(has(error, "log = trap leads over a link of another user (uid 65534)"), error);
  fs::create_symlink("trap", folder / "own");
  BOOST_TEST(has(error_of([&] { open_to_append(folder / "own", "log = own"); }), "uid 65534"));
  BOOST_TEST(text_of(folder / "precious") == "mine");
}

BOOST_AUTO_TEST_CASE(a_draft_takes_the_place_whole_or_not_at_all) {
  const Folder folder;
  put(folder / "there", "old");
  {
    Draft draft(folder / "there");
    draft.write("half");
    BOOST_TEST(text_of(folder / "there") == "old");
  }
  BOOST_TEST(text_of(folder / "there") == "old");
  BOOST_TEST(folder.entries() == 1u);
  Draft draft(folder / "there");
  draft.write("the ");
  draft.write("new");
  draft.put_in_place();
  BOOST_TEST(text_of(folder / "there") == "the new");
  BOOST_TEST(folder.entries() == 1u);
  BOOST_TEST(has(error_of([&] { Draft(folder / "no/file"); }), "No such file"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_whole_is_named) {
  const Folder folder;
  write_whole(folder / "file", "text");
  BOOST_TEST(text_of(folder / "file") == "text");
  const auto error = error_of([&] { write_whole(folder / "no/file", "text"); });
  BOOST_TEST(has(error, "cannot write " + (folder / "no/file") + " (open: No such file or directory); see"), error);
  BOOST_TEST(folder.entries() == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_can_know_the_name_of_a_draft) {
  const Folder folder;
  std::string names[2];
  for (auto& name : names) {
    const Draft draft(folder / "file");
    name = fs::directory_iterator(folder.path)->path().filename().string();
    BOOST_TEST(name.ends_with(".part"));
  }
  BOOST_TEST(names[0] != names[1]);
}

BOOST_AUTO_TEST_CASE(a_draft_is_known_by_its_name) {
  const Folder folder;
  const Draft draft(folder / ".zattrs");
  const auto name = fs::directory_iterator(folder.path)->path().filename().string();
  BOOST_TEST(drafted(name).value_or("") == ".zattrs");
  for (const auto* other : {"", ".part", "x.part", "x.h5.part", ".0123456789abcdef.part", "x.0123456789abcdeg.part",
                            "x.0123456789abcde.part", "x.0123456789abcdef.parts", "x_0123456789abcdef.part"})
    BOOST_TEST(!drafted(other).has_value(), other);
}

BOOST_AUTO_TEST_CASE(a_draft_replaces_a_link_and_leaves_its_target_alone) {
  const Folder folder;
  put(folder / "precious", "mine");
  fs::create_symlink("precious", folder / "link");
  Draft draft(folder / "link");
  draft.write("new");
  draft.put_in_place();
  BOOST_TEST(text_of(folder / "precious") == "mine");
  BOOST_TEST(text_of(folder / "link") == "new");
}

BOOST_AUTO_TEST_SUITE_END()
