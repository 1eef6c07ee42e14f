// What a user names as a file: read, or refused by its type and never waited for.
#include "base/user_file.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace headrace;

BOOST_AUTO_TEST_SUITE(user_file)

struct Folder {
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string at(const std::string& name) const { return path + "/" + name; }
  std::string path = (std::filesystem::temp_directory_path() / ("user_file_" + std::to_string(getpid()))).string();
};

static std::string why_not(const std::string& path) {
  std::string why;
  return read_file_of_user(path, why) ? "read" : why;
}

BOOST_AUTO_TEST_CASE(files_are_read_whole) {
  const Folder folder;
  const std::string bytes = std::string(300'000, 'x') + '\0' + "end";
  std::ofstream(folder.at("f"), std::ios::binary) << bytes;
  std::filesystem::create_symlink("f", folder.at("link"));
  std::string why;
  for (const auto* name : {"f", "link"}) {
    BOOST_TEST((read_file_of_user(folder.at(name), why) == bytes), name);
    BOOST_TEST(instead_of_file(folder.at(name)) == "");
  }
  std::ofstream(folder.at("empty")).flush();
  BOOST_TEST((read_file_of_user(folder.at("empty"), why) == ""));
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_refused_by_its_type) {
  const Folder folder;
  BOOST_REQUIRE(::mkfifo(folder.at("fifo").c_str(), 0600) == 0);
  BOOST_TEST(why_not(folder.at("fifo")) == "it is a FIFO, no file");
  std::filesystem::create_symlink("fifo", folder.at("link"));
  BOOST_TEST(why_not(folder.at("link")) == "it is a FIFO, no file");
  BOOST_TEST(why_not("/dev/null") == "it is a device, no file");
  BOOST_TEST(why_not("/dev/zero") == "it is a device, no file");
  BOOST_TEST(why_not(folder.path) == "it is a directory");
  BOOST_TEST(why_not(folder.at("nothing")) == "no such file");
  BOOST_TEST(instead_of_file(folder.at("nothing")) == "");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, folder.at("socket").c_str(), sizeof address.sun_path - 1);
  BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  BOOST_TEST(why_not(folder.at("socket")) == "it is a socket, no file");
  ::close(fd);
}

BOOST_AUTO_TEST_SUITE_END()
