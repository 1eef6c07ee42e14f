# The architecture as a test: who includes whom, headers that stand alone, sizes.
headrace_pytest(floors ${CMAKE_CURRENT_LIST_DIR}/test_floors.py QUICK)
headrace_pytest(floors_includes ${CMAKE_CURRENT_LIST_DIR}/test_includes.py QUICK)
headrace_pytest(floors_locks ${CMAKE_CURRENT_LIST_DIR}/test_locks.py)
headrace_pytest(floors_python ${CMAKE_CURRENT_LIST_DIR}/test_python.py QUICK)
headrace_pytest(floors_unity ${CMAKE_CURRENT_LIST_DIR}/test_unity.py QUICK)
headrace_pytest(floors_harness ${CMAKE_CURRENT_LIST_DIR}/test_harness.py QUICK)
