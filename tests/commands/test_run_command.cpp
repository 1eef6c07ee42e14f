#include "commands/run_command.hpp"

#include <boost/test/unit_test.hpp>

using headrace::commands::is_of_launcher;

BOOST_AUTO_TEST_SUITE(run_command)

BOOST_AUTO_TEST_CASE(what_tells_a_place_among_all_processes_is_kept_from_trainers) {
  for (const char* variable : {"OMPI_COMM_WORLD_RANK=3", "OMPI_MCA_ess=env", "PMIX_RANK=3", "PMI_RANK=3",
                               "SLURM_PROCID=3", "SLURM_NTASKS=6", "SLURM_STEP_NUM_TASKS=6", "SLURM_LOCALID=1"})
    BOOST_TEST(is_of_launcher(variable), variable);
}

BOOST_AUTO_TEST_CASE(what_describes_the_job_stays) {
  for (const char* variable : {"PATH=/bin", "SLURM_JOB_ID=7", "SLURM_PROCIDS=1", "MY_OMPI_=1", "CUDA_VISIBLE_DEVICES=0",
                               "MASTER_ADDR=n01", "SLURM_JOB_NODELIST=n[01-02]"})
    BOOST_TEST(!is_of_launcher(variable), variable);
}

BOOST_AUTO_TEST_SUITE_END()
