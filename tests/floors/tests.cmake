# The architecture as a test: who includes whom, headers that stand alone, sizes.
add_test(NAME floors COMMAND ${PYTHON} -m pytest -q -p no:cacheprovider ${CMAKE_CURRENT_LIST_DIR}/test_floors.py)
set_tests_properties(floors PROPERTIES TIMEOUT 300 ENVIRONMENT "HEADRACE_BUILD=${CMAKE_BINARY_DIR}")
add_test(NAME floors_locks COMMAND ${PYTHON} -m pytest -q -rs -p no:cacheprovider ${CMAKE_CURRENT_LIST_DIR}/test_locks.py)
add_test(NAME floors_python COMMAND ${PYTHON} -m pytest -q -rs -p no:cacheprovider ${CMAKE_CURRENT_LIST_DIR}/test_python.py)
set_tests_properties(floors_locks floors_python PROPERTIES TIMEOUT 300 ENVIRONMENT "HEADRACE_BUILD=${CMAKE_BINARY_DIR}")
