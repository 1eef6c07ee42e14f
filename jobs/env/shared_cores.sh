# One machine whose cores stagers and trainers share: a laptop, a CI machine, nodes that are only simulated. Sourced
# before mpirun, beside the file of the network; what is already set stays. Each setting has two names, of Open MPI 4 and 5.
set_default() { [ -n "${!1+x}" ] || export "$1=$2"; }

# More ranks than cores is no mistake here.
set_default OMPI_MCA_rmaps_base_oversubscribe 1
set_default PRTE_MCA_rmaps_default_mapping_policy :OVERSUBSCRIBE
# Open MPI binds ranks to cores by default, and a single rank to core 0, where everybody else is, too.
set_default OMPI_MCA_hwloc_base_binding_policy none
set_default PRTE_MCA_hwloc_default_binding_policy none
# Containers run as root; mpirun refuses to unless it is told twice.
if [ "$(id -u)" = 0 ]; then
  set_default OMPI_ALLOW_RUN_AS_ROOT 1
  set_default OMPI_ALLOW_RUN_AS_ROOT_CONFIRM 1
fi
