# The documents as a test: tools/docs makes the same pages for readers. Those whose code can run are run.
headrace_pytest(docs_docs ${CMAKE_CURRENT_LIST_DIR}/test_docs.py QUICK ENVIRONMENT ${mpi_environment})
headrace_pytest(docs_pages_run ${CMAKE_CURRENT_LIST_DIR}/test_pages_run.py ENVIRONMENT ${mpi_environment})
