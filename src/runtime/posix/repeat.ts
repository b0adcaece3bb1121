/** What stands after "Cannot start broker …": the program that runs is none that a new process could run. */
export const NO_FILE =
  'its program was not read from a file, so that no new process can run it, put it into one or set "program" to one';

export const CLUSTER_WORKER =
  "this process is a worker of node:cluster, and a new process of its program would be the primary, " +
  'set "program" to a file that only starts the broker';

export const PM2_CLUSTER =
  "PM2 runs this process in cluster mode, where a new process of its program does not get there, " +
  'start it in fork mode (pm2 start without -i, or exec_mode: "fork") or set "program" to its file';
