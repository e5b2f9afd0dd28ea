# Checks that are not GoogleTest programs: format, documentation and the release, as CTest tests labelled `check`.
# They need what ./scripts/test makes first (the virtual environment, the release build) and run once, in the dev tree.
# End-to-end tests run on the release programs, which are what users get, and again on sanitized ones, which get less
# done in a second. Those that measure, or are given a time to work in, run alone.
set(pytest ${PROJECT_SOURCE_DIR}/.venv/bin/python -m pytest -q -p no:cacheprovider)
set(e2e_environment GPUASSAY_BIN=${PROJECT_SOURCE_DIR}/build/release PYTHONDONTWRITEBYTECODE=1)
set(sanitized_environment GPUASSAY_BIN=${PROJECT_BINARY_DIR} GPUASSAY_TIME_SCALE=3 GPUASSAY_KILL_ROUNDS=6
    PYTHONDONTWRITEBYTECODE=1)
set(e2e_alone run verified kill interruption watch bad_input thread clock doctor once platform collector_kill)
# Runs on fake GPUs with more time than they need: they may run beside others.
set(e2e_fakes gpu health host instance collectives multi_node verified_gpu)
# Those wait more than they compute, and so do these two: so many of a file's tests at a time.
set(e2e_at_once_watch 4)
set(e2e_at_once_interruption 3)
foreach(e2e ${e2e_fakes})
  set(e2e_at_once_${e2e} 4)
endforeach()
foreach(e2e ${e2e_alone} ${e2e_fakes} consent notices platform_faults upload after_upload saved_results keys store collector collector_bad_input
        collector_tls operation export verify log log_verify reassess openapi estimate compare validate)
  foreach(build e2e sanitized)
    # Fakes' runs have budgets of their own, too short for a program that counts its steps; under the sanitizers there is
    # fake_gpu_component_tests. The others that are left out take minutes, and their parts are component tests, which
    # run under the sanitizers; schemathesis asks what fuzz.query and fuzz.ingest ask.
    if(build STREQUAL sanitized AND (NOT GPUASSAY_SANITIZE OR e2e IN_LIST e2e_fakes OR e2e MATCHES "^(interruption|watch|notices|verified|once|platform|openapi)$"))
      continue()
    endif()
    set(at_once "")
    if(e2e_at_once_${e2e})
      set(at_once -n ${e2e_at_once_${e2e}})
    endif()
    add_test(NAME ${build}.${e2e} COMMAND ${pytest} ${at_once} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_${e2e}.py)
    set_tests_properties(${build}.${e2e} PROPERTIES LABELS e2e TIMEOUT 1500 ENVIRONMENT "${${build}_environment}")
    if(e2e IN_LIST e2e_alone)
      set_tests_properties(${build}.${e2e} PROPERTIES RUN_SERIAL TRUE)
    endif()
  endforeach()
endforeach()

set(scripts ${PROJECT_SOURCE_DIR}/scripts)
add_test(NAME check.format COMMAND ${scripts}/format --check)
add_test(NAME check.scripts COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/scripts_test)
add_test(NAME check.container COMMAND ${scripts}/check_container)
add_test(NAME check.boot COMMAND ${scripts}/check_boot)
add_test(NAME check.release_portable COMMAND ${scripts}/check_release portable)
add_test(NAME check.release_debian11 COMMAND ${scripts}/check_release debian11)
# The documented commands measure: nothing may run beside them.
add_test(NAME check.docs COMMAND ${scripts}/check_docs ${PROJECT_SOURCE_DIR}/build/release)

# Only where `setup trace` has put PyTorch.
add_test(NAME check.workloads COMMAND ${scripts}/trace_workload --check)

set_tests_properties(check.format check.scripts check.workloads PROPERTIES LABELS check)
set_tests_properties(check.workloads PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
set_tests_properties(check.release_portable check.release_debian11 check.docs PROPERTIES LABELS "check;e2e")
set_tests_properties(check.release_portable check.release_debian11 PROPERTIES RESOURCE_LOCK release_build TIMEOUT 600)
set_tests_properties(check.container check.boot PROPERTIES LABELS "check;e2e" TIMEOUT 600)
# Makes a Debian with cloud-init in it, boots it four times and measures nine.
set_tests_properties(check.boot PROPERTIES TIMEOUT 1500)
set_tests_properties(check.release_debian11 check.container check.boot PROPERTIES SKIP_RETURN_CODE 77)
set_tests_properties(check.docs PROPERTIES RUN_SERIAL TRUE TIMEOUT 900)

# The price commands, the price join on its four engines, and the documented queries: the same in every build, so once,
# on the release programs.
add_test(NAME e2e.price COMMAND ${pytest} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_price.py)
add_test(NAME conformance.join COMMAND ${pytest} ${CMAKE_CURRENT_SOURCE_DIR}/conformance)
add_test(NAME check.dataset COMMAND ${pytest} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_dataset_docs.py)
add_test(NAME check.price_scripts COMMAND ${pytest} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_price_scripts.py)
set_tests_properties(e2e.price conformance.join check.dataset check.price_scripts PROPERTIES TIMEOUT 600
                     ENVIRONMENT "${e2e_environment}")
set_tests_properties(e2e.price PROPERTIES LABELS e2e)
set_tests_properties(conformance.join PROPERTIES LABELS component PROCESSORS 2)
set_tests_properties(check.dataset PROPERTIES LABELS check PROCESSORS 2)
set_tests_properties(check.price_scripts PROPERTIES LABELS check)

# Two minutes with what an upload can be, a quarter of a minute each with questions, price files and metadata; scripts/fuzz does
# hours.
# Built while other tests wait, with what they leave of the CPUs.
add_test(NAME fuzz.build COMMAND nice -n 10 ${scripts}/build fuzz)
set_tests_properties(fuzz.build PROPERTIES LABELS fuzz FIXTURES_SETUP fuzz_programs TIMEOUT 3000 COST 10000)
foreach(target_seconds ingest:120 query:15 prices:15 metadata:15)
  string(REPLACE ":" ";" target_seconds ${target_seconds})
  list(GET target_seconds 0 target)
  list(GET target_seconds 1 seconds)
  add_test(NAME fuzz.${target} COMMAND ${scripts}/fuzz ${seconds} ${target})
  set_tests_properties(fuzz.${target} PROPERTIES LABELS fuzz FIXTURES_REQUIRED fuzz_programs RESOURCE_LOCK fuzz_build COST 9000
                       TIMEOUT 1200)
endforeach()
