// What the launcher has told this process by its environment. Any time, any thread; MPI need not have started.
#pragma once

namespace headrace::mpi {

/// Started by mpirun, srun or another launcher? Otherwise this process is a job of one rank.
bool launched();
/// How many processes srun has started without telling MPI (PMIx) that they belong together; 0 where it has, or was not
/// it.
int tasks_without_mpi();
/// Whether this job is made of several command lines (`mpirun A : B`); only Open MPI tells.
bool is_mixed();
/// Whether it is known to be of one.
bool is_of_one_line();
/// Whether this process is the first of those with its command line: it speaks for them all. Where the launcher tells
/// nothing of command lines (`srun --multi-prog`), whether it is the first of the job.
bool is_first();
/// Whether it is the first of its node, as far as the launcher tells.
bool is_first_of_node();

/// Whether all of the job is on this node, as far as the launcher tells.
bool is_on_one_node();

}  // namespace headrace::mpi
