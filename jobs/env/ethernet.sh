# Nodes joined by Ethernet (TCP), under Open MPI 4 or 5. Sourced before mpirun or srun; what is already set stays.
# What a process may choose for itself (TCP without PUT, for one) the service chooses; here is what it cannot know, and what
# only the launcher can do.
set_default() { [ -n "${!1+x}" ] || export "$1=$2"; }

# No search for other fabrics: shared memory inside a node (Open MPI 5 knows vader by its old name), TCP between nodes.
set_default OMPI_MCA_pml ob1
set_default OMPI_MCA_btl self,vader,tcp

# TCP's congestion control belongs to the kernel, and only root may change it: cubic (Linux's default) or reno. With bbr
# the exchange between two nodes on links as fast as memory was a third to a half slower. The service tells what is in force.

# A node that loses power says nothing. mpirun asks one that is silent for 4 s three times, 2 s apart, and ends the job
# after some 10 s; by default it would be minutes. Shorter times would end jobs whose network only hiccups.
for launcher in OMPI PRTE; do  # of Open MPI 4, of Open MPI 5
  set_default ${launcher}_MCA_oob_tcp_keepalive_time 4
  set_default ${launcher}_MCA_oob_tcp_keepalive_intvl 2
  set_default ${launcher}_MCA_oob_tcp_keepalive_probes 3
done
unset launcher
# Slurm would notice after SlurmdTimeout, minutes. The service's nodes watch each other themselves, and this is their limit.
set_default HEADRACE_NODE_TIMEOUT 10s

# srun --mpi=pmix: unless it gathers in a ring, Slurm (22.05) now and then lets a rank out of MPI_Init while others are still in
# it; what it sends then kills them (a jump to 0 in mca_btl_tcp). Of 40 starts of a plain MPI program, 9 ranks on 3 nodes, 3 died
# so by default, 8 with a tree, none with a ring.
set_default SLURM_PMIX_FENCE ring

# Where nodes have several networks, name the one to use for data and the one for the launcher (Open MPI 4, Open MPI 5):
#   OMPI_MCA_btl_tcp_if_include=10.1.0.0/16 OMPI_MCA_oob_tcp_if_include=10.1.0.0/16 PRTE_MCA_prte_if_include=10.1.0.0/16
