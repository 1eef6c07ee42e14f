// Which Conventions give scale_factor and the like their meaning.
#include "catalog/conventions.hpp"

#include <boost/test/unit_test.hpp>

using namespace headrace::catalog;
using namespace headrace::catalog;

BOOST_AUTO_TEST_SUITE(conventions)

BOOST_AUTO_TEST_CASE(those_that_do_in_a_list_and_in_either_case) {
  for (const auto* text : {"CF-1.6",
                           "CF-1",
                           "cf-1.7",
                           "CF 1.8",
                           "CF1.4",
                           "CF",
                           "ACDD-1.3, CF-1.7",
                           "CF-1.6,ACDD-1.3",
                           "ACDD-1.3",
                           "COARDS",
                           "coards",
                           "COARDS/CF-1.0",
                           "GDT 1.2; NUG-1.0",
                           "Unidata Observation Dataset v1.0",
                           "CF-1.6 UGRID-0.9",
                           "IMOS-1.4",
                           "Argo-3.1 CF-1.6",
                           "CfRadial-1.4",
                           "MyFormat-2, cf-1.10",
                           "CF/Radial instrument_parameters"})
    BOOST_TEST(implies_packing(text), text);
}

BOOST_AUTO_TEST_CASE(those_that_do_not) {
  for (const auto* text : {"", "NeXus", "CFD-3", "MyFormat-1.0", "NCSA", "Cfoo", "scf-1", "None", "ACD"})
    BOOST_TEST(!implies_packing(text), text);
}

BOOST_AUTO_TEST_CASE(arrays_are_lists) {
  BOOST_TEST(conventions_text({"CF-1.6"}) == "CF-1.6");
  BOOST_TEST(conventions_text({"ACDD-1.3", "CF-1.7"}) == "ACDD-1.3, CF-1.7");
  BOOST_TEST(conventions_text({"C", "F", "-", "1"}) == "CF-1");  // an array of characters
  BOOST_TEST(conventions_text({}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
