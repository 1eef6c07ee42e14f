// Which processes of a job look at the files of a configuration that has mistakes already: those that will speak.
#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <map>

#include "commands/commands.hpp"
#include "config/config_fixture.hpp"

using namespace headrace::config;

BOOST_AUTO_TEST_SUITE(configuration)

namespace {

/// Variables of the launcher, as long as it lives.
class Launched {
 public:
  explicit Launched(const std::map<std::string, std::string>& variables) : variables_(variables) {
    for (const auto* name : {"OMPI_COMM_WORLD_RANK", "OMPI_APP_CTX_NUM_PROCS", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
      unsetenv(name);
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Launched() {
    for (const auto& [name, value] : variables_) unsetenv(name.c_str());
  }
  Launched(const Launched&) = delete;
  Launched& operator=(const Launched&) = delete;

 private:
  std::map<std::string, std::string> variables_;
};

struct Fixture : ConfigFixture {
  /// What a process says that the launcher gave these variables: of a wrong value, and files that are not there.
  std::string said(const std::map<std::string, std::string>& variables) const {
    const Launched launched(variables);
    const auto arguments = Arguments{.config = write("files = [\"none.h5\"]\nbatch = 0\n")};
    return mistake([&] {
      Mistakes mistakes;
      headrace::commands::configuration(arguments, mistakes);
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(alone_it_tells_all, Fixture) {
  const auto text = said({});
  BOOST_TEST(has(text, "2 mistakes:"), text);
  BOOST_TEST(has(text, "batch = 0"), text);
  BOOST_TEST(has(text, "none.h5"), text);
}

BOOST_FIXTURE_TEST_CASE(the_first_of_a_job_tells_all, Fixture) {
  BOOST_TEST(has(said({{"OMPI_COMM_WORLD_RANK", "0"}}), "2 mistakes:"));
  BOOST_TEST(has(said({{"SLURM_PROCID", "0"}}), "2 mistakes:"));
  BOOST_TEST(!has(said({{"OMPI_COMM_WORLD_RANK", "1"}}), "mistakes:"));
  BOOST_TEST(!has(said({{"SLURM_PROCID", "1"}}), "mistakes:"));
}

BOOST_FIXTURE_TEST_CASE(so_does_the_first_of_a_command_line_behind_others, Fixture) {
  const std::map<std::string, std::string> behind{{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_APP_CTX_NUM_PROCS", "2 3"}};
  BOOST_TEST(has(said(behind), "2 mistakes:"));
  const std::map<std::string, std::string> second{{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_APP_CTX_NUM_PROCS", "2 3"}};
  BOOST_TEST(!has(said(second), "mistakes:"));
}

BOOST_AUTO_TEST_SUITE_END()
