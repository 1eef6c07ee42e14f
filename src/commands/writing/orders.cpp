#include "commands/writing/orders.hpp"

namespace headrace::commands::writing {

Orders orders_of(const config::Arguments& arguments, const config::Flag& output, const std::string& missing,
                 config::Mistakes& mistakes) {
  Orders orders{arguments.value(output.name, "").text(), arguments.value(of_stream.name, "").text(),
                arguments.has(force.name), arguments.has(resume.name), arguments.has(read_again.name)};
  if (orders.output.empty() && !missing.empty()) mistakes.add(missing);
  if (orders.force && orders.resume) mistakes.add("--force contradicts --resume; give one of them");
  return orders;
}

}  // namespace headrace::commands::writing
