# A file whose fingerprint saved states may hold: its bytes never change.
target_compile_definitions(test_service_blueprint PRIVATE RECORDED_FILE="${CMAKE_CURRENT_LIST_DIR}/recorded.h5")
