// `headrace run -- COMMAND`: starts a trainer in the MPI job of the service. MPI waits for every process of its job,
// and trainers are none of MPI's: so this process takes part in MPI instead of the trainer, which is its child and sees
// nothing of it.
//
//   mpirun -n 2 headrace serve -c lcd.toml : -n 4 headrace run -- python train.py
//
//   1. The trainer's environment has RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE, counted over the trainers
//   alone,
//      MASTER_ADDR and MASTER_PORT unless they are set; the launcher's own numbers are taken out.
//   2. A trainer that fails ends the job, with its exit code. When all have ended well the service is stopped.
#pragma once

#include <string>
#include <vector>

namespace headrace::commands {

int start_trainer(const std::vector<std::string>& command);

/// What of an environment ("NAME=value") would tell a trainer, wrongly, its place in the launcher's job.
bool is_of_launcher(const std::string& variable);

}  // namespace headrace::commands
