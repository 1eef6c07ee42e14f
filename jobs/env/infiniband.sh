# Nodes joined by InfiniBand or another fabric that UCX knows, under Open MPI 4 or 5. Sourced before mpirun or srun; what is
# already set stays. The figures in this project were taken over TCP: measure here with headrace bench.
set_default() { [ -n "${!1+x}" ] || export "$1=$2"; }

# UCX or nothing: a silent fall-back to TCP would cost a factor.
set_default OMPI_MCA_pml ucx

# The launcher speaks TCP: a node that loses power is noticed after some 10 s (see ethernet.sh).
for launcher in OMPI PRTE; do
  set_default ${launcher}_MCA_oob_tcp_keepalive_time 4
  set_default ${launcher}_MCA_oob_tcp_keepalive_intvl 2
  set_default ${launcher}_MCA_oob_tcp_keepalive_probes 3
done
unset launcher
set_default HEADRACE_NODE_TIMEOUT 10s
set_default SLURM_PMIX_FENCE ring    # see ethernet.sh
