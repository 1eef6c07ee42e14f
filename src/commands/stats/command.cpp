#include <iostream>

#include "commands/commands.hpp"
#include "commands/stats/command.hpp"
#include "commands/stats/stats.hpp"

namespace headrace::commands::stats {

namespace {

const config::Flag of_stream{"stream", 0, "NAME", "train, or the only one", "whose samples are measured"};
const config::Flag output{"output", 'o', "FILE", "the fields' scale-file", "where the numbers are written"};

int run(const config::Arguments& arguments, config::Mistakes& mistakes) {
  const StatsOptions options{arguments.value(of_stream.name, "").text(), arguments.value(output.name, "").text()};
  return stats(configuration_with_files(arguments, mistakes, "measure"), options, std::cout);
}

}  // namespace

config::Command stats_command() {
  return {.name = "stats",
          .usage = "[FILE...]",
          .summary = "Measures what normalisation needs, and writes the scale file.",
          .details =
              "Mean, standard deviation, least and greatest of every field with a scale-file, and how often "
              "classes occur:\nover the samples of one stream, read once, under mpirun or alone.",
          .configured = true,
          .flags = {of_stream, output},
          .prints = true,
          .run = run};
}

}  // namespace headrace::commands::stats
