// `headrace inspect`: of files as they are, of what a configuration makes of them, or of one sample.
#include <iostream>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "commands/commands.hpp"
#include "commands/inspect/command.hpp"
#include "commands/inspect/config_views.hpp"
#include "commands/inspect/inspect.hpp"
#include "commands/inspect/sample.hpp"
#include "h5/outside.hpp"
#include "h5/plugin_path.hpp"

namespace headrace::commands::inspect {

namespace {

const config::Flag one_sample{"sample", 0, "N | FILE:ROW", "", "with -c: raw and finished values of one sample"};
const config::Flag picture{"plot", 0, "FILE.png", "", "a picture of that sample, or of resampling; needs matplotlib"};
const config::Flag all_lines{"all", 0, "", "", "tables fold no long lists"};
const config::Flag count_all{"count", 0, "", "", "with -c: count streams and classes also where that reads over 1 GB"};
const config::Flag with_plugins{"plugins", 0, "", "", "with -c: load its plugins, which runs their code"};

int of_configuration(const config::Arguments& arguments, config::Mistakes& mistakes) {
  const auto config = configuration_with_files(arguments, mistakes, "inspect");
  const bool json = arguments.has(json_flag.name);
  const auto plugins = arguments.has(with_plugins.name) ? data::fields::Plugins::load : data::fields::Plugins::look_at;
  if (arguments.has(one_sample.name))
    return inspect_sample(
        config, {arguments.value(one_sample.name, "").text(), json, arguments.value(picture.name, "").text(), plugins},
        std::cout);
  const auto plot = arguments.value(picture.name, "").text();
  if (!plot.empty() && config.resample.bins.empty())
    throw UsageError("--plot draws one sample, or what [resample] does; say which sample with --sample");
  const bool count = arguments.has(count_all.name) || !plot.empty();
  return inspect_config(config, {json, count, arguments.has(all_lines.name), plugins, plot}, std::cout);
}

/// After the files were opened.
void tell_what_else_was_opened() {
  for (const auto& file : h5::files_outside())
    std::cerr << "headrace: outside the folder of the file that names it: " << printable(file) << "\n";
  for (const auto& why : h5::distrusted_plugin_folders()) std::cerr << "headrace: " << printable(why) << "\n";
}

int run(const config::Arguments& arguments, config::Mistakes& mistakes) {
  struct AtTheEnd {
    ~AtTheEnd() { tell_what_else_was_opened(); }
  } const tell;
  if (!arguments.config.empty() || !arguments.settings.empty()) return of_configuration(arguments, mistakes);
  mistakes.throw_if_any();
  if (arguments.has(one_sample.name) || arguments.has(picture.name))
    throw UsageError("--sample and --plot need a configuration; add -c CONFIG");
  if (arguments.positional.empty()) throw UsageError("no files to inspect; name HDF5 files: headrace inspect FILE...");
  return inspect(arguments.positional, arguments.has(json_flag.name), arguments.has(all_lines.name), std::cout);
}

}  // namespace

config::Command inspect_command() {
  return {.name = "inspect",
          .usage = "FILE... | -c CONFIG",
          .summary = "Shows what HDF5 files hold and how well they will read.",
          .details = "With a configuration, or any of its keys: what trainers would receive, and of which samples.",
          .configured = true,
          .flags = {json_flag, all_lines, one_sample, picture, count_all, with_plugins},
          .prints = true,
          .run = run};
}

}  // namespace headrace::commands::inspect
