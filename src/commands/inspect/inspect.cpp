#include "commands/inspect/inspect.hpp"

#include <ostream>

#include "base/printable.hpp"
#include "catalog/files.hpp"
#include "catalog/grouping.hpp"
#include "commands/inspect/views.hpp"

namespace headrace::commands::inspect {

int inspect(const std::vector<std::string>& files, bool json, bool all, std::ostream& out) {
  const auto contents = catalog::examine_all(catalog::expand_files(files), {.see_through = false, .fill_gaps = false});
  const auto grouping = catalog::group(contents);
  out << (json ? as_json(contents, grouping) : printable_lines(as_table(contents, grouping, all))) << std::flush;
  return 0;
}

}  // namespace headrace::commands::inspect
