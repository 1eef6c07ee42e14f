// What tests start to have files looked at: as the command line does, but with a filter that ends processes in whatever
// way the file says.
#include <hdf5.h>

#include "bad_filter.hpp"
#include "catalog/examiner.hpp"
#include "h5/error.hpp"
#include "h5/library.hpp"

int main(int argc, char** argv) {
  headrace::h5::library();
  register_bad_filter(true);
  return headrace::catalog::examine_for_another({argv + 1, argv + argc});
}
